import type { Severity } from './finding.js';
import { anyOf } from './shape.js';

/**
 * What lines e2fsck prints, as tables. Formats read in e2fsprogs 1.44 to 1.47 (e2fsck/problem.c,
 * message.c, unix.c, journal.c) and in logs made with damaged images; English only.
 *
 * The general form: a message starts with a capital (e2fsck puts it there), goes on in lines that
 * are indented or start in lower case, and may end in a question with its answer, on the same
 * line or the next, and an empty line. Names in it are printed with control characters as ^X, so
 * that a name never makes a line of its own.
 */

/** The questions (the prompts of problem.c) that follow a message and are no message themselves. */
const QUESTIONS = [
  'Fix',
  'Clear',
  'Relocate',
  'Allocate',
  'Expand',
  'Connect to /lost\\+found',
  'Create',
  'Salvage',
  'Truncate',
  'Clear inode',
  'Abort',
  'Split',
  'Continue',
  'Clone multiply-claimed blocks',
  'Delete file',
  'Suppress messages',
  'Unlink',
  'Clear HTree index',
  'Recreate',
  'Optimize',
  'Clear flag',
  'Ignore error',
  'Force rewrite',
].join('|');

const ANSWER = String.raw`(?: \('a' enables 'yes' to all\) )?(?:<[yn]>| \(y/n\))?\? ?(?<answer>no|yes|yes to all|cancelled!|)`;

/** Answers that need no question: after a question about the whole list, or when preening. */
const SETTLED = [
  'IGNORED',
  'FIXED',
  'CLEARED',
  'RELOCATED',
  'ALLOCATED',
  'EXPANDED',
  'RECONNECTED',
  'CREATED',
  'SALVAGED',
  'TRUNCATED',
  'INODE CLEARED',
  'ABORTED',
  'SPLIT',
  'CONTINUING',
  'MULTIPLY-CLAIMED BLOCKS CLONED',
  'FILE DELETED',
  'SUPPRESSED',
  'UNLINKED',
  'HTREE INDEX CLEARED',
  'WILL RECREATE',
  'WILL OPTIMIZE',
  'FLAG CLEARED',
].join('|');

/**
 * The end of a message: the question with its answer, which the log may lack where it was cut, or
 * what was done without asking. Groups: `answer`, `settled`.
 */
export const QUESTION_AT_END = new RegExp(
  `(?:(?<=^|[\\s.:])(?:${QUESTIONS})${ANSWER}|(?<=[\\s.:])(?<settled>${SETTLED})\\.)\\s*$`,
);

/** The same, alone in its line; one question of problem.c has no words at all. */
export const QUESTION_ALONE = new RegExp(
  `^(?:(?:${QUESTIONS}|)${ANSWER}|(?<settled>${SETTLED})\\.)\\s*$`,
);

/** Any other question: those whose text is the message, as "Recreate journal? no". */
export const ANY_QUESTION = new RegExp(`(?<=[\\w)~\\n])${ANSWER}\\s*$`);

/** Questions that ask more about the message before them. */
export const FOLLOW_UP = new RegExp(
  `^(?:Rename to .*|Place lost files in root directory instead)${ANSWER}\\s*$`,
);

/**
 * The line goes on with the message of the line before. Of those that start with a capital or a
 * parenthesis, the few there are.
 */
export const CONTINUATION = anyOf([
  /^[\t ]/,
  // Messages that start in lower case after all: error texts of libraries and fields of the inode.
  /^(?!e2fsck|ext2fs_|fsck\.|i_)[a-z][\w-]*[ [](?!.*: (?:e2fsck|clean|recovering|\*{5}|\d+\/))/,
  /^(?:filesystem\.|\(and not swap)/,
  /^The physical size of the device is /,
  /^Either the superblock or the partition table /,
  /^WARNING: SEVERE DATA LOSS POSSIBLE/,
  /^Logical start \d+ does not match /,
  /^This version of e2fsck does not support fragment sizes/,
  /^It is (?:likely that|also possible the) /,
  /^Clearing fields beyond the V1 /,
  /^Move data off the filesystem and re-run e2fsck/,
  /^Will fix in pass 1B/,
  /^Those features are/,
]);

/**
 * Preening puts the device, or the volume's label, in front of each message. Words that stand there
 * in messages of e2fsck's own are none.
 */
export const PREEN_PREFIX =
  /^(?:\/\S{1,255}|(?!(?:W[Aa][Rr][Nn][Ii][Nn][Gg]|Note|Error|e2fsck|ext2fs_\w+|fsck\.\w+):)[\w.@+-]{1,16}):(?: (?=['A-Z/]|i_|ext2fs_)|$)/;

/** What preening says before it gives up, and the line after it. */
export const PREEN_STOPPED = /: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY\.$/;
export const PREEN_ADVICE = /^\t\(i\.e\., without -a or -p options\)$/;

/** e2fsck was killed by a signal that it catches, and the traces of its stack. */
export const SIGNAL = /^Signal \(\d+\) SIG\w+ /;
export const STACK =
  /^\S*(?:e2fsck|fsck\.ext[234]|lib\w+\.so[\d.]*|linux-vdso\S*|ld-\S+)(?:\([^)]*\))? ?\[0x[\da-f]+\]$/;

/** It begins again: what it printed so far proves no pass. */
export const RESTARTED = /^Restarting e2fsck from the beginning\.\.\.$/;

/** Messages that are one line of numbers and ranges, as long as it takes. */
export const LISTS =
  /^(?:(?:Block|Inode) bitmap differences:|Multiply-claimed block\(s\) in inode \d+:|Optimizing (?:directories|inodes|extents):)/;
export const LIST_ITEMS = /^[-+()\d ]*$/;

/** Lines that say nothing of damage. What is worth a notice is below. */
export const NOISE = anyOf([
  /^\s*$/,
  /^fsck from util-linux /,
  /^\tUsing EXT2FS Library version /,
  /^Running additional passes to resolve blocks claimed by more than one inode\.\.\.$/,
  /^\(There are \d+ inodes containing multiply-claimed blocks\.\)$/,
  /^Multiply-claimed blocks already reassigned or cloned\.$/,
  // Follows a message about the bad blocks inode, which is the finding.
  /^This doesn't bode well, but we'll try to go on\.\.\.$/,
  /^\.\.\.problem 0x[\da-f]+ suppressed$/,
  /^(?:Pass \d\w?: )?(?:Memory used: |I\/O read: )/,
  // The progress bar of -C.
  /^[^|]{1,80}: \|[-=|/\\ ]*[-=|/\\ ] *\d+\.\d%/,
  /^Exit status(?: is)?:? \d+$/,
  /^E2fsck run: /,
  /^MMP interval is \d+ seconds and total wait time is \d+ seconds\. Please wait\.\.\.$/,
  /^Filesystem features:(?: \S+)*$/,
  // -D, and what pass 1E does after a repair.
  /^Optimizing (?:directories|inodes|extents): [\d ]*$/,
  // -c
  /^Checking for bad blocks \((?:read-only|non-destructive read-write) test\): *(?:done)?$/,
  /^Overwriting existing filesystem; this can be undone using the command:$/,
  /^ {4}e2undo /,
  /: \*{5} REBOOT SYSTEM \*{5}$/,
  // The lines of -v, whose first and last are looked at elsewhere.
  /^ +(?:# of inodes with ind\/dind\/tind blocks|Extent depth histogram): [\d/]+$/,
  /^ +\d+ (?:(?:inodes?|blocks?) used \(|non-contiguous |bad blocks?$|large files?$)/,
  /^ +\d+ (?:regular|character device|block device) files?$/,
  /^ +\d+ (?:directory|directories|fifos?|links?|sockets?)$/,
  /^ +\d+ symbolic links?(?: \(\d+ fast symbolic links?\))?$/,
  /^-{12}$/,
]);

/** The passes of problem.c; 1B to 1D come only with blocks of several files, 1E and 3A after repairs. */
export const PASS =
  /^Pass (?:(1): Checking inodes, blocks, and sizes|(1)(?:B: Rescanning for|D: Reconciling) multiply-claimed blocks|(1)C: Scanning directories for inodes with multiply-claimed blocks|(1)E: Optimizing extent trees|(2): Checking directory structure|(3): Checking directory connectivity|(3)A: Optimizing directories|(4): Checking reference counts|(5): Checking group summary information)$/;

/** The summary: the last thing that a run to the end prints; the second form is that of -v. */
export const SUMMARY = anyOf([
  /: \d+\/\d+ files \(\d+\.\d% non-contiguous\), \d+\/\d+ blocks\s*$/,
  /^ +(?:1 file|\d+ files)$/,
]);

/** Printed where e2fsck went no further. The rest of the line, if any, is why. */
export const ABORTED = anyOf([
  /^(?:e2fsck|fsck\.ext[234]): aborted$/,
  /: e2fsck canceled\.$/,
  /^check aborted\.$/,
]);

/** e2fsck's own verdict; the log has it before the summary, or where it aborts. */
export const STILL_HAS_ERRORS = /: \*{10} WARNING: Filesystem still has errors \*{10}$/;
export const WAS_MODIFIED = /: \*{5} FILE SYSTEM WAS MODIFIED \*{5}$/;

/** It did not look: without -f it takes the superblock's word. */
export const NOT_CHECKED = /: clean, \d+\/\d+ files, \d+\/\d+ blocks/;

/** A line without a question is a message where it speaks of the file system or of a failure. */
export const ABOUT_THE_FILE_SYSTEM =
  /\b(?:inodes?|(?:super)?blocks?|super-block|groups?|symlink|EXTENT_FL|Hurd|\w*meta_bg|features?|journal|director(?:y|ies)|entry|bitmap|extents?|lost\+found|quota|orphan|htree|attributes?|filesystem|file system|superblock|checksum|resize|error|warning|corrupt(?:ed|ion)?|could(?: not|n't)|cannot|can't|failed|invalid|illegal|unsupported|unexpected|MMP|e2fsck|fsck\.ext[234]|\w+ is (?:mounted|in use))\b|^'\.\.?' /i;

/**
 * How bad a message is; the first that fits, else `corruption`. `notice` is for what e2fsck itself
 * does not count: with it alone a run of `e2fsck -fn` exits with 0.
 */
export const SEVERITIES: ReadonlyArray<readonly [RegExp, Severity]> = [
  [/^Superblock last (?:mount|write) time .*in the future/s, 'notice'],
  [/^Note: if several inode or block bitmap blocks/, 'notice'],
  [/extent tree \(at level \d+\) could be (?:shorter|narrower)/, 'notice'],
  [/extent tree could be more shallow/, 'notice'],
  [/^Timestamp\(s\) on inode \d+ beyond 2310/, 'notice'],
  [/^Superblock metadata_csum_seed is not necessary/, 'notice'],
  [/^Adding dirhash hint to filesystem/, 'notice'],
  [/^Filesystem did not have a UUID; generating one/, 'notice'],
  [/^The test_fs flag is set/, 'notice'],
  [/(?:mounted \d+ times|gone \d+ days) without being checked, check forced/, 'notice'],
  // The rest of the log speaks of a state that no kernel would see: it proves nothing.
  [/^Warning: skipping journal recovery/, 'repairable'],
  [/won't do journal recovery while read-only|: recovering journal$/, 'repairable'],
  [/was not cleanly unmounted|contains a file system with errors/, 'repairable'],
  [/\bis (?:mounted|in use)\b/, 'repairable'],
  [/^Free (?:blocks|inodes) count wrong/, 'repairable'],
  [/^Directories count wrong/, 'repairable'],
  [/^(?:Block|Inode) bitmap differences/, 'repairable'],
  [/^Padding at end of (?:inode|block) bitmap/, 'repairable'],
  [/^Inode \d+, i_(?:blocks|size) is /, 'repairable'],
  [/ ref count (?:is|set to overflow)/, 'repairable'],
  [/^Unattached (?:zero-length )?inode/, 'repairable'],
  [/ (?:has zero dtime|is in use, but has dtime set|has dtime set)/, 'repairable'],
  [/ was part of the orphaned inode list|^Inodes that were part of a corrupted/, 'repairable'],
  [/^\/lost\+found not found/, 'repairable'],
  [/^Setting free (?:blocks|inodes) count/, 'repairable'],
  [/quota/i, 'repairable'],
];
