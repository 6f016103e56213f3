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

/**
 * The questions (the prompts of problem.c) that follow a message and are not messages themselves.
 */
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

/** Answers without a question: after a question about the whole list, or when preening. */
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

/** What was done without asking, at the end of a line. */
export const SETTLED_AT_END = new RegExp(`[\\s.:](?:${SETTLED})\\.$`);

/** The same on a line of its own; one question of problem.c has no words at all. */
export const QUESTION_ALONE = new RegExp(
  `^(?:(?:${QUESTIONS}|)${ANSWER}|(?<settled>${SETTLED})\\.)\\s*$`,
);

/** Any other question: its text is the message, as in "Recreate journal? no". */
export const ANY_QUESTION = new RegExp(`(?<=[\\w)~\\n])${ANSWER}\\s*$`);

/** Questions that continue the message before them. */
export const FOLLOW_UP = new RegExp(
  `^(?:Rename to .*|Place lost files in root directory instead)${ANSWER}\\s*$`,
);

/**
 * The line goes on with the message of the line before. Of those that start with a capital or a
 * parenthesis, the few there are.
 */
export const CONTINUATION = anyOf([
  /^[\t ]/,
  // Messages that begin in lower case all the same: error texts of libraries and fields of the
  // inode.
  /^(?!e2fsck|ext2fs_|fsck\.|i_)[a-z][\w-]*[ [](?!.*: (?:e2fsck|clean|recovering|\*{5}|\d+\/))/,
  // A word or two of a wrapped line.
  /^[a-z][\w/-]*[.:,)]?$/,
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

/** e2fsck's first line, in every language. Not printed when it preens. */
export const VERSION = /^e2fsck (\d+\.\d\S*) \(/;

/** e2fsck under the name it was started with. */
const PROGRAM = String.raw`(?:\S{0,255}/)?(?:e2fsck|fsck\.ext[234](?:dev)?)`;

/**
 * Preening puts the volume's label in front of each message, or else the device. Both have neither
 * blanks nor colons: e2fsck replaces these by `_`. Words that stand there in messages of e2fsck's
 * own are no label.
 */
export const PREEN_PREFIX = new RegExp(
  `^(?!(?:WARNING|Warning|Note|Error|ext2fs_\\w+|${PROGRAM}):)[^\\s:]{1,255}:(?: (?=[A-Z'<]|/\\S|i_|ext2fs_)|$)`,
);

/** Messages that begin with the label or the device, which may be any word. */
export const NAMES_DEVICE =
  /^[^\s:]{1,255}(?:(?: (?:was not cleanly unmounted|contains a file system with errors|primary superblock features different from backup|has been mounted \d+ times without being checked|has gone \d+ days without being checked|has filesystem last checked time in the future)), check forced\.$| (?:is mounted|is in use)\.$| has unsupported (?:feature\(s\)|encoding):|: (?:recovering journal$|won't do journal recovery|ignoring check interval|clean, |e2fsck canceled))/;

/** What preening prints before it gives up, and the line after it. */
export const PREEN_STOPPED = /: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY\.$/;
export const PREEN_ADVICE = /^\t\(i\.e\., without -a or -p options\)$/;

/** e2fsck was killed by a signal that it catches, and the traces of its stack. */
export const SIGNAL = /^Signal \(\d+\) SIG\w+ /;
export const STACK =
  /^\S*(?:e2fsck|fsck\.ext[234]|lib\w+\.so[\d.]*|linux-vdso\S*|ld-\S+)(?:\([^)]*\))? ?\[0x[\da-f]+\]$/;

/** It starts over: what it printed so far proves no pass. */
export const RESTARTED = /^Restarting e2fsck from the beginning\.\.\.$/;

/** Messages that are one line of numbers and ranges of any length. */
export const LISTS =
  /^(?:(?:Block|Inode) bitmap differences:|Multiply-claimed block\(s\) in inode \d+:|Optimizing (?:directories|inodes|extents|extent trees):)/;
/** Of these, lists of what was made smaller or faster, without a problem. */
export const STRUCTURE_ASIDE = /^Optimizing /;
export const LIST_ITEMS = /^[-+()\d ]*$/;

/** Lines without damage. Those worth a notice are below. */
export const NOISE = anyOf([
  /^\s*$/,
  /^\tUsing EXT2FS Library version /,
  /^Running additional passes to resolve blocks claimed by more than one inode\.\.\.$/,
  /^\(There are \d+ inodes containing multiply-claimed blocks\.\)$/,
  /^Multiply-claimed blocks already reassigned or cloned\.$/,
  // Follows a message about the bad blocks inode, which is the finding.
  /^This doesn't bode well, but we'll try to go on\.\.\.$/,
  /^\.\.\.problem 0x[\da-f]+ suppressed$/,
  // Advice after the reason why a device could not be opened.
  /^(?:Possibly non-existent (?:or swap )?device\?|Could this be a zero-length partition\?|You must have r\/[ow] access to the filesystem or be root|Filesystem mounted or opened exclusively by another program\?)$/,
  /^(?:Disk write-protected; use the -n option to do a read-only|check of the device\.|\(Or the filesystem superblock is corrupt\))$/,
  // -t and -tt: of each pass, of all, and in the middle of pass 3.
  /^(?:(?:Pass \d\w?|Peak memory): )?(?:Memory used: |I\/O read: |elapsed time: +[\d.]+$|time: +[\d./ ]+$)/,
  /^Exit status(?: is)?:? \d+$/,
  /^E2fsck run: /,
  /^Filesystem UUID: [\da-f-]+$/,
  /^MMP interval is \d+ seconds and total wait time is \d+ seconds\. Please wait\.\.\.$/,
  /^Filesystem features:(?: \S+)*$/,
  // -c, -cc: badblocks. Its display has the blocks that could not be read, written, or compared.
  /^(?:Checking for bad blocks \((?:read-only|non-destructive read-write) test\)|Checking blocks \d+ to \d+|Testing with (?:random pattern|pattern 0x[\da-f]+)|Reading and comparing)(?::[ .%\d]*(?:done, )?(?:[\d:]+ elapsed\. \(0\/0\/0 errors\))?[ ]*(?:done)?)?$/,
  /^Overwriting existing filesystem; this can be undone using the command:$/,
  /^ {4}e2undo /,
  // -E fragcheck: an inode, and where its next block should be.
  /^ {0,5}\d+\([dfx]\): expecting +\d+ (?:got|actual extent) phys +\d+ /,
  // The lines of -v, whose first and last are looked at elsewhere.
  /^ +(?:# of inodes with ind\/dind\/tind blocks|Extent depth histogram): [\d/]+$/,
  /^ +\d+ (?:(?:inodes?|blocks?) used \(|non-contiguous |bad blocks?$|large files?$)/,
  /^ +\d+ (?:regular|character device|block device) files?$/,
  /^ +\d+ (?:directory|directories|fifos?|links?|sockets?)$/,
  /^ +\d+ symbolic links?(?: \(\d+ fast symbolic links?\))?$/,
  /^-{12}$/,
  /^Creating (?:journal|orphan file) \(\d+ blocks\): +Done\.$/,
  /^\*{3} journal has been (?:regenerated|deleted) \*{3}$/,
]);

/** The same, of lines that have a label or a device in front. */
export const CERTAIN_NOISE = anyOf([
  // The progress bar of -C.
  /^[^|]{1,80}: \|[-=|/\\ ]*[-=|/\\ ] *\d+\.\d%/,
  // -C 1 and the like: the pass, how far it is, and of how much.
  /^\d \d+ \d+ \S+$/,
  /: \*{5} REBOOT SYSTEM \*{5}$/,
  /^[^\s:]{1,255}: (?:Updating bad block inode\.|ignoring check interval, broken_system_clock set)$/,
]);

/** Writes to the file system that repair nothing. */
export const EXPLAINS_CHANGES =
  /^Pass (?:1E: Optimizing extent trees|3A: Optimizing directories)$|: Updating bad block inode\.$|^Creating (?:journal|orphan file) \(/;

/** Lines that mailers wrap, up to where they may be cut. */
export const CUT = anyOf([
  /^[^\s:]{1,255}: \d+\/\d+(?: files(?: \([\d.]+%(?: non-contiguous\),(?: \d+\/\d+)?)?)?)?$/,
  /^[^\s:]{1,255}: \*{10}(?: WARNING:(?: Filesystem(?: still(?: has(?: errors)?)?)?)?)?$/,
  /^[^\s:]{1,255}: \*{5}(?: FILE(?: SYSTEM(?: WAS(?: MODIFIED)?)?)?)?$/,
  /^Pass \d[A-E]?: (?:Checking|Rescanning|Scanning|Reconciling)(?:(?! multiply-claimed blocks$| sizes$| structure$| connectivity$| counts$| information$)[\w, -])*$/,
  /^Running additional passes to resolve(?: blocks(?: claimed(?: by(?: more(?: than(?: one)?)?)?)?)?)?$/,
]);

/**
 * The passes of problem.c; 1B to 1D occur only with blocks of several files, 1E and 3A after
 * repairs.
 */
export const PASS =
  /^Pass (?:(1): Checking inodes, blocks, and sizes|(1)(?:B: Rescanning for|D: Reconciling) multiply-claimed blocks|(1)C: Scanning directories for inodes with multiply-claimed blocks|(1)E: Optimizing extent trees|(2): Checking directory structure|(3): Checking directory connectivity|(3)A: Optimizing directories|(4): Checking reference counts|(5): Checking group summary information)$/;

/** The summary, which a complete run prints last; the second form is that of -v. */
export const SUMMARY = anyOf([
  /: \d+\/\d+ files \(\d+\.\d% non-contiguous\), \d+\/\d+ blocks\s*$/,
  /^ +(?:1 file|\d+ files)$/,
]);

/** Printed where e2fsck stopped. The rest of the line, if any, is the reason. */
export const ABORTED = anyOf([
  new RegExp(`^${PROGRAM}: aborted$`),
  /: e2fsck canceled\.$/,
  /^check aborted\.$/,
]);

/**
 * Messages of an e2fsck that checked nothing, and why. They are notices, because they say nothing
 * about the file system.
 */
export const CHECKED_NOTHING: ReadonlyArray<readonly [RegExp, string]> = [
  [
    / has unsupported (?:feature\(s\)|encoding): |: Get a newer version of e2fsck!|: Filesystem revision too high while |The filesystem revision is apparently too high/,
    'this e2fsck is too old for the file system and checked nothing',
  ],
  [
    new RegExp(`^${PROGRAM}: need terminal for interactive repairs`),
    'e2fsck had no terminal to ask, and neither -n nor -y: it checked nothing',
  ],
  [
    new RegExp(`^${PROGRAM}: Cannot proceed with file system check`),
    'e2fsck could not go on and checked nothing',
  ],
  [
    new RegExp(`^${PROGRAM}: Cannot continue, aborting\\.`),
    'e2fsck does not check a mounted file system',
  ],
  [
    new RegExp(
      `^${PROGRAM}: (?:No such file or directory|No such device(?: or address)?|Permission denied|Operation not permitted|Device or resource busy|Read-only file system|No medium found|Unable to resolve|Is a directory)`,
    ),
    'e2fsck could not open the device and checked nothing',
  ],
  [
    new RegExp(
      `^(?:Usage: ${PROGRAM}|${PROGRAM}: (?:The -[nE]|invalid option|unrecognized option)|Unknown extended option|Only one of the options|Invalid (?:non-numeric|completion|EA version|readahead))`,
    ),
    'e2fsck rejected its options and checked nothing',
  ],
];

/** e2fsck's own verdict, printed before the summary or where it aborts. */
export const STILL_HAS_ERRORS = /: \*{10} WARNING: Filesystem still has errors \*{10}$/;
export const WAS_MODIFIED = /: \*{5} FILE SYSTEM WAS MODIFIED \*{5}$/;

/** It did not check: without -f it trusts the superblock. */
export const NOT_CHECKED = /: clean, \d+\/\d+ files, \d+\/\d+ blocks/;

/** A line without a question is a message if it speaks of the file system or of a failure. */
export const ABOUT_THE_FILE_SYSTEM =
  /, check forced\.$|\b(?:inodes?|(?:super)?blocks?|super-block|groups?|symlink|EXTENT_FL|Hurd|\w*meta_bg|features?|journal|director(?:y|ies)|entry|bitmap|extents?|lost\+found|quota|orphan|htree|attributes?|filesystem|file system|superblock|checksum|resize|error|warning|corrupt(?:ed|ion)?|could(?: not|n't)|cannot|can't|failed|invalid|illegal|unsupported|unexpected|MMP|e2fsck|fsck\.ext[234]|\w+ is (?:mounted|in use))\b|^'\.\.?' /i;

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
  [
    /(?:mounted \d+ times|gone \d+ days) without being checked|last checked time in the future/,
    'notice',
  ],
  [/^Backing up journal inode block information/, 'notice'],
  [/^Moving journal from \/.* to hidden inode/, 'notice'],
  [/^Setting filetype for entry /, 'notice'],
  ...CHECKED_NOTHING.map(([pattern]) => [pattern, 'notice'] as const),
  // After a crash: the file system has recorded what is left to do.
  [/^(?:Clearing|Truncating) orphaned inode/, 'repairable'],
  [/^Orphan file \(inode \d+\) block \d+ is not clean/, 'repairable'],
  [/^Failed to initialize orphan file/, 'repairable'],
  [/^Feature orphan_present is set/, 'repairable'],
  [/^Recovery flag not set in backup superblock/, 'repairable'],
  [/primary superblock features different from backup/, 'repairable'],
  // The rest of the log speaks of a state that no kernel would see, so it proves nothing.
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
