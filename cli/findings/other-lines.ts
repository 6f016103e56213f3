import { anyOf } from './shape.js';

/**
 * Lines of other programs in a check's log: of the shell that started it, of the kernel, and of
 * tools that ran before and after.
 */

/** A shell's prompt with the command. Groups: `command`. */
export const PROMPT = anyOf([
  // root@host:/tmp# e2fsck, [root@host tmp]# e2fsck, (chroot) root@host ~ $ e2fsck
  /^(?:\([\w .-]{1,40}\) ?)?\[?[\w.-]{1,64}@[\w.-]{1,64}[\s:][^#$%>]{0,200}[#$%>](?:\s|$)/,
  /^(?:\(initramfs\)|(?:ba|da|z|k)?sh-[\d.]{1,10}[#$%]|grml(?:-\w+)?\s?[#$]|\(parted\)|~ ?[#$%])(?:\s|$)/,
  // A bare prompt mark, only before the command that starts a check or prints its exit code.
  /^[#$%] (?:(?:sudo|time|env|LC_ALL=\S+|LANG=\S+) )*(?:\S*\/)?(?:e2fsck|fsck(?:\.\w+)?|xfs_repair|echo|mount|umount|dmesg|mkfs(?:\.\w+)?|xfs_db|debugfs|tune2fs|dumpe2fs|ls|cat|exit)\b/,
]);

/** A prompt's command that starts a check. */
export const STARTS_CHECK = /[#$%>)]\s.*\b(?:e2fsck|fsck(?:\.\w+)?|xfs_repair)\b/;

/** The trace of a shell's `set -x`. */
const TRACE = /^\++ [\w./=$"'{([-]/;

/** A line of the kernel's log. */
const KERNEL = /^(?:<\d+>)?\[\s{0,8}\d+\.\d{6}\](?:\[\s{0,4}[TC]\d+\])? /;

/** What starts a check, and what reports its exit code. None of it is the check's own output. */
const AROUND = anyOf([
  /^fsck from util-linux /,
  /^\[\/sbin\/fsck\.\w+ \(\d+\) -- /,
  /^(?:\S*\/)?(?:e2fsck|fsck(?:\.\w+)?|xfs_repair)(?: -{1,2}\w+(?:[ =][\w.,/]+)?)* \/\S+$/,
  /^(?:exit|return)(?: code| status)?(?: is)?[ :=]+\d+$/i,
  /^(?:rc|ret|status|\$\?)[ :=]+\d+$/i,
  /^(?:real|user|sys)\s+\d+m[\d.,]+s$/,
  /^Script (?:started|done) /,
]);

/** Words for problems: a line with one may belong to the check after all. */
const TROUBLE =
  /\b(?<![\w=-])(?:errors?|fail(?:ed|ure|s)?|corrupt\w*|damaged?|inconsisten\w*|kill(?:ed)?|segfault|segmentation|abort\w*|panic|oops|bad|broken|invalid|illegal|cannot|can't|couldn't|could not|unable|lost)\b(?!=)/i;

/** Lost bytes, or bytes that no program prints. */
const LOST = /[\0\ufffd]/;

/** Whether a line next to a check's output is harmless. */
export function isHarmless(line: string): boolean {
  if (LOST.test(line)) return false;
  return (
    !TROUBLE.test(line) ||
    KERNEL.test(line) ||
    TRACE.test(line) ||
    AROUND.test(line) ||
    PROMPT.test(line)
  );
}

/** Whether the line is another program's, whatever precedes it. */
export function isOthers(line: string): boolean {
  return TRACE.test(line) || KERNEL.test(line) || AROUND.test(line);
}
