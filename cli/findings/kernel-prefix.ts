/** Prefixes that journals, syslog, dmesg and consoles put before the kernel's words. */

/** Times without brackets; `dmesg --time-format=iso` has a comma before the fraction. */
const TIMES = [
  // 2026-11-30T13:00:00.123456+01:00, with a blank instead of the T, also after the day's name
  String.raw`(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d|[A-Z]{3,4}))?`,
  // Nov 30 13:00:00.123456
  String.raw`[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?`,
  // 13:00:00.123
  String.raw`\d\d:\d\d:\d\d(?:[.,]\d{1,9})?`,
  // 1764504000.123456
  String.raw`\d{10}\.\d{3,9}`,
];
const TIME = `(?:${TIMES.join('|')})`;

/** `dmesg -T`, `-e`, `--reltime` and `-d`; consoles' loggers put their own clock into brackets. */
const BRACKETED = [
  TIME,
  String.raw`[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}`,
  String.raw`[A-Z][a-z]{2} ?[ \d]\d \d\d:\d\d`,
  String.raw` *\+\d+\.\d{6}`,
  String.raw`(?: *\d+\.\d{6} )?< *\d+\.\d{6}>`,
];
/** Brackets that only the kernel's log has. */
const KERNEL_STAMP = new RegExp(`^\\[(?:${BRACKETED.slice(1).join('|')})\\] ?`);
const STAMP = new RegExp(`^(?:\\[(?:${BRACKETED.join('|')})\\]|${TIME}(?= |$|\\t))[ \\t:|-]{0,3}`);

/** `dmesg -x`: facility and level. */
const LEVEL =
  /^(?:kern|user|mail|daemon|auth|syslog) {0,8}:(?:emerg|alert|crit|err|warn|notice|info|debug) {0,8}: /;
const PRIORITY = /^(?:<\d{1,3}>(?:1 )?|\d{1,3},\d{1,12},\d{1,16},[^;]{1,60};)/;

/** `host kernel: `, `kernel: `, `host systemd[1]: `, after a time. */
const IDENTIFIER = /^(?:[\w.:-]{1,64} )?(?<program>[\w.@/-]{1,64})(?:\[\d{1,8}\])?: /;
/** The same of the kernel, without a time before it; `journalctl -o short-monotonic` has a stamp. */
const KERNEL_IDENTIFIER =
  /^(?:\[ {0,6}\d{1,8}\.\d{6}\] )?(?:[\w.-]{1,64} )?kernel(?:\[\d{1,8}\])?: /;

export interface Stripped {
  text: string;
  /** The line is the kernel's, as its stamp, priority or name shows. */
  isKernels: boolean;
  /** There was a prefix, so the line did not begin in the middle of another. */
  hasPrefix: boolean;
}

/** Removes known prefixes. Undefined for a line of another program. */
export function withoutPrefix(line: string): Stripped | undefined {
  let text = line;
  let isKernels = false;
  let hasTime = false;
  for (let round = 0; round < 4; round += 1) {
    const found = STAMP.exec(text) ?? LEVEL.exec(text) ?? PRIORITY.exec(text);
    if (!found) break;
    hasTime = true;
    isKernels ||= !STAMP.test(text) || KERNEL_STAMP.test(text);
    text = text.slice(found[0].length);
  }
  const kernel = KERNEL_IDENTIFIER.exec(text);
  if (kernel) return { text: text.slice(kernel[0].length), isKernels: true, hasPrefix: true };
  // Without the kernel's own stamp, a name after a time tells which program printed it.
  const program =
    hasTime && !isKernels && !/\[ *\d+\.\d{6}\]/.test(text) ? programOf(text) : undefined;
  return program === undefined ? { text, isKernels, hasPrefix: hasTime } : undefined;
}

/** A program with its process number, or after the name of a host. */
function programOf(text: string): string | undefined {
  const found = IDENTIFIER.exec(text);
  const isProgram = found && (/\[\d{1,8}\]: $/.test(found[0]) || / /.test(found[0].trimEnd()));
  return isProgram ? found.groups?.['program'] : undefined;
}

/** Quotation marks of mails and reviews. */
export const QUOTATION = /^(?: {0,3}[>|] ?){1,8}/;

/** How kernel lines begin, whatever unknown prefix comes first. */
const ANCHOR =
  /(?:BUG: |WARNING: (?:CPU: \d|\S+:\d+ at )|kernel BUG at |Oops: |INFO: task |EXT[234]-fs (?:error|\()|XFS \(|JBD2: |Buffer I\/O error |Call Trace:|RIP: \d{4}:|CPU: \d+ (?:UID|PID): |-{3,12}\[ (?:cut here|end trace)|Kernel panic - not|Linux version \d)/;
/** Longest prefix of a kernel line. */
const LONGEST_PREFIX = 120;

/** The pattern of a prefix before a kernel line; undefined if there is none. */
export function unknownPrefix(line: string): string | undefined {
  const at = ANCHOR.exec(line.slice(0, LONGEST_PREFIX + 60))?.index ?? 0;
  if (at === 0 || at > LONGEST_PREFIX || /[\w"'(]$/.test(line.slice(0, at))) return undefined;
  const escaped = line.slice(0, at).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  // Names and numbers change from line to line; the separators do not.
  return `^${escaped.replace(/[A-Za-z0-9_]+/g, '[A-Za-z0-9_]+').replace(/ +/g, ' +')}`;
}
