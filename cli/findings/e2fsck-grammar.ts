import type { Severity } from './finding.js';

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

const ANSWER = String.raw`(?:<[yn]>| \(y/n\))?\? (?:no|yes|yes to all|cancelled!)`;

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

/** The question with its answer at the end of a message. */
export const QUESTION_AT_END = new RegExp(
  `(?:^|[ .:])\\s*(?:${QUESTIONS})${ANSWER}\\s*$|\\s(?:${SETTLED})\\.\\s*$`,
);

/** The same, alone in its line. */
export const QUESTION_ALONE = new RegExp(`^(?:(?:${QUESTIONS})${ANSWER}|(?:${SETTLED})\\.)\\s*$`);

/** Any other question: those whose text is the message, as "Recreate journal? no". */
export const ANY_QUESTION = new RegExp(`${ANSWER}\\s*$`);

/** Questions that ask more about the message before them. */
export const FOLLOW_UP = new RegExp(
  `^(?:Rename to .*|Place lost files in root directory instead)${ANSWER}\\s*$`,
);

/**
 * The line goes on with the message of the line before. Of those that start with a capital or a
 * parenthesis, the few there are.
 */
export function isContinuation(line: string): boolean {
  return CONTINUATIONS.some((pattern) => pattern.test(line));
}

const CONTINUATIONS: readonly RegExp[] = [
  /^[\t ]/,
  // Messages that start in lower case after all: error texts of libraries and fields of the inode.
  /^(?!e2fsck|ext2fs_|fsck\.|i_)[a-z][\w-]* (?!.*: (?:e2fsck|clean|recovering|\*{5}|\d+\/))/,
  /^(?:filesystem\.|\(and not swap)/,
  /^The physical size of the device is /,
  /^Either the superblock or the partition table /,
  /^WARNING: SEVERE DATA LOSS POSSIBLE/,
  /^Logical start \d+ does not match /,
  /^This version of e2fsck does not support fragment sizes/,
  /^It is (?:likely|also possible) that? ?/,
  /^Clearing fields beyond the V1 /,
  /^Move data off the filesystem and re-run e2fsck/,
  /^Will fix in pass 1B/,
  /^Those features are/,
];

/** Lines that say nothing of damage. What is worth a notice is below. */
export const NOISE: readonly RegExp[] = [
  /^\s*$/,
  /^fsck from util-linux /,
  /^\tUsing EXT2FS Library version /,
  /^Running additional passes to resolve blocks claimed by more than one inode\.\.\.$/,
  /^\(There are \d+ inodes containing multiply-claimed blocks\.\)$/,
  /^Multiply-claimed blocks already reassigned or cloned\.$/,
  // Follows a message about the bad blocks inode, which is the finding.
  /^This doesn't bode well, but we'll try to go on\.\.\.$/,
  /^\.\.\.problem 0x[\da-f]+ suppressed$/,
  /^Restarting e2fsck from the beginning\.\.\.$/,
  /^(?:Pass \d\w?: )?(?:Memory used: |I\/O read: )/,
  // The progress bar of -C.
  /^[^|]{1,80}: \|[-=|/\\ ]*[-=|/\\ ] *\d+\.\d%/,
  /^Exit status(?: is)?:? \d+$/,
  /: \*{5} REBOOT SYSTEM \*{5}$/,
  // The lines of -v, whose first and last are looked at elsewhere.
  /^ +(?:# of inodes with ind\/dind\/tind blocks|Extent depth histogram): [\d/]+$/,
  /^ +\d+ (?:(?:inodes?|blocks?) used \(|non-contiguous |bad blocks?$|large files?$)/,
  /^ +\d+ (?:regular|character device|block device) files?$/,
  /^ +\d+ (?:directory|directories|fifos?|links?|sockets?)$/,
  /^ +\d+ symbolic links?(?: \(\d+ fast symbolic links?\))?$/,
  /^-{12}$/,
];

/** The summary: the last thing that a run to the end prints; the second form is that of -v. */
export const SUMMARY: readonly RegExp[] = [
  /: \d+\/\d+ files \(\d+\.\d% non-contiguous\), \d+\/\d+ blocks\s*$/,
  /^ +\d+ files?$/,
];

/** Printed where e2fsck went no further. The rest of the line, if any, is why. */
export const ABORTED: readonly RegExp[] = [
  /^(?:e2fsck|fsck\.ext[234]): aborted$/,
  /: e2fsck canceled\.$/,
  /^check aborted\.$/,
];

/** e2fsck's own verdict; the log has it before the summary, or where it aborts. */
export const STILL_HAS_ERRORS = /: \*{10} WARNING: Filesystem still has errors \*{10}$/;
export const WAS_MODIFIED = /: \*{5} FILE SYSTEM WAS MODIFIED \*{5}$/;

/** It did not look: without -f it takes the superblock's word. */
export const NOT_CHECKED = /: clean, \d+\/\d+ files, \d+\/\d+ blocks/;

/** A line without a question is a message where it speaks of the file system or of a failure. */
export const ABOUT_THE_FILE_SYSTEM =
  /\b(?:inodes?|(?:super)?blocks?|super-block|groups?|journal|director(?:y|ies)|entry|bitmap|extents?|lost\+found|quota|orphan|htree|attributes?|filesystem|file system|superblock|checksum|resize|error|warning|corrupt(?:ed|ion)?|could(?: not|n't)|cannot|can't|failed|invalid|illegal|unsupported|unexpected|MMP|e2fsck|fsck\.ext[234]|\w+ is (?:mounted|in use))\b/i;

/**
 * How bad a message is; the first that fits, else `corruption`. `notice` is for what e2fsck itself
 * does not count: with it alone a run of `e2fsck -fn` exits with 0.
 */
export const SEVERITIES: ReadonlyArray<readonly [RegExp, Severity]> = [
  [/^Superblock last (?:mount|write) time .*in the future/s, 'notice'],
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

/** Variable texts that the general rules of a signature cannot tell from words: names and paths. */
export const NAMES: ReadonlyArray<readonly [RegExp, string]> = [
  // Greedy up to the last "' in PATH (INODE) verb": the name may hold quotes of its own.
  [
    /(\b[Ee]ntry) '.*' in (.*?) \(\d+\)(?= (?:has|is|points|references|found|to)\b)/,
    '$1 in directory',
  ],
  [/entry '.*' \(inode=\d+\) in directory inode \d+ \(.*\)/, 'entry in directory inode'],
  [/'\.\.' in .* \(\d+\) is .* \(\d+\), should be .* \(\d+\)/, 'dotdot is, should be'],
  [/(for '\.' in) .* \(\d+\)/, '$1'],
  [/^File .* \(inode #\d+, mod time [^)]*\)[\s\S]*/, 'File has multiply-claimed blocks'],
  [/^Symlink .* \(inode #/, 'Symlink (inode #'],
  [/(is a link to directory) .* \(\d+\)/, '$1'],
  [/(\(was in) .*\)/, ''],
  [/^(.*?[Ii]node #?\d+) \(.*?\)(?= (?:has|is)\b|:)/, '$1'],
  [/^(Recursively looped directory inode \d+) \(.*\)/, '$1'],
  [/^(Failed to optimize (?:directory|extent tree)) .* \(\d+\)/, '$1'],
  [/^Directory .*(?= has the casefold flag)/, 'Directory'],
  [/^(Rename to) .*/m, '$1'],
  [/\nRename to [\s\S]*/, ''],
  // Lists: which blocks, and how many.
  [/^((?:Block|Inode) bitmap differences:)[\s\S]*/, '$1'],
  [/^(Multiply-claimed block\(s\) in inode \d+:)[\s\S]*/, '$1'],
  // A library's complaint; on an unbuffered stream the next message follows in the same line.
  [/^(Illegal block number passed to \w+) [\s\S]*?( for [a-z -]+ map)[\s\S]*/, '$1$2'],
  // The advice after a superblock that cannot be read.
  [/^(The superblock could not be read)[\s\S]*/, '$1'],
  [/^(?:e2fsck|fsck\.ext[234]): (.*) while trying to open .*/, '$1 while trying to open'],
  [
    /^.*(?= (?:was not cleanly unmounted|contains a file system with errors|has (?:been mounted|gone) \d))/,
    '',
  ],
  [/^.*: (?=recovering journal$|won't do journal recovery)/, ''],
  [/^(Warning! {2}|).* (?=is (?:mounted|in use)\.$)/, '$1'],
];
