import type { Severity } from './finding.js';
import { anyOf } from './shape.js';

/**
 * What lines xfs_repair prints, as tables. Formats read in xfsprogs 3.2, 4.3, 5.10, 6.1, 6.5, 6.13
 * and 7.2 (repair/*.c, libxfs/util.c) and in logs made with damaged images; English only.
 *
 * Of a sound file system it prints phases, their steps (`        - agno = 0`) and last words.
 * Everything else is a message: one line, or some that go on in lines of their own. A name of a
 * file stands in it as it is, line breaks included.
 */

export const PHASE =
  /^Phase (\d) - (?:find and verify superblock\.{3}$|using (?:internal log$|external log on )|for each AG\.{3}$|check for duplicate blocks\.{3}$|rebuild AG headers and trees\.{3}$|check inode connectivity\.{3}$|verify (?:and correct )?link counts\.{3}$)/;

export const LAST_WORDS = anyOf([
  /^No modify flag set, skipping filesystem flush and exiting\.$/,
  // Without -n.
  /^done$/,
]);

/** It went no further; the line is also a finding. */
export const GAVE_UP =
  /^(?:\.*Exiting now\.|fatal error -- |Sorry, could not find valid secondary superblock|Cannot proceed further in no_modify mode|Found unsupported filesystem features|Not enough matching superblocks|Exiting now\.|xfs_repair: (?:cannot repair this filesystem|.* contains a mounted))/;

/**
 * Messages of an xfs_repair that checked nothing, and why. They are notices, because they say
 * nothing about the file system.
 */
export const CHECKED_NOTHING: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /^Superblock has unknown compat\/rocompat\/incompat features|^Found unsupported filesystem features|^This filesystem (?:uses feature\(s\) not yet supported|contains features not understood)|^xfs_repair does not support|[Pp]lease try a newer xfsprogs|more recent xfs_repair/,
    'this xfs_repair is too old for the file system and checked nothing',
  ],
  [
    /^ERROR: The filesystem has valuable metadata changes in a log which needs to/,
    'xfs_repair does not check a file system whose log was not replayed: mount and unmount it, or use -n',
  ],
  [
    /contains a mounted (?:and writable )?filesystem/,
    'xfs_repair does not check a mounted file system',
  ],
  [
    /^(?:fatal error -- )?(?:couldn't initialize XFS library|This filesystem has an external log\.)|^xfs_repair: (?:cannot open|error opening|[^:]*: (?:No such file|Permission denied))|^xfs_repair: (?:filesystem has a realtime subvolume|realtime device init failed)|^Required memory for repair is greater|^\/\S+: (?:No such file or directory|Permission denied|Device or resource busy|No such device(?: or address)?|Is a directory)$|^xfs_repair: \S+ is not a (?:block device|regular file)/,
    'xfs_repair could not open its devices and checked nothing',
  ],
  [
    /^xfs_repair: (?:invalid option|unrecognized option|option requires)|^Usage: xfs_repair|^-\w option (?:requires|cannot|is not)/,
    'xfs_repair rejected its options and checked nothing',
  ],
];

/** Printed if it could not begin, after the reason. */
export const SORRY = /^xfs_repair: cannot repair this filesystem\./;

/** With -n it skips the phases that would need the broken parts. */
export const SKIPS_PHASES_6_AND_7 =
  /^Inode allocation btrees are too corrupted, skipping phases 6 and 7/;

export const VERSION = /^xfs_repair version ([\d.]+)/;

export const NOISE = anyOf([
  /^\s*$/,
  /^(?: {8}|\t)- /,
  /^No modify flag set, skipping phase 5$/,
  // For an image file on a file system other than xfs.
  /^Cannot get host filesystem geometry\.$/,
  /^Repair may fail if there is a sector size mismatch between$/,
  /^the image and the host filesystem\.$/,
  // The search after a bad superblock; dots are its progress.
  /^\.*$/,
  /^\.*(?:attempting to find secondary superblock|found candidate secondary superblock|verified secondary superblock|unable to verify superblock, continuing)\.\.\.$/,
  VERSION,
  // Its usage.
  /^Options:$/,
  /^ {2}-\w(?: \w+)? {2,}\S/,
  /^ {15}\(Cannot be used together with -\w\.\)$/,
  // -vv: its caches.
  /^libxfs_\w+: 0x[\da-f]+$/,
  /^(?:Max supported entries|Max utilized entries|Active entries|Hash table size|Hits|Misses|Hit ratio) = +[\d.]+$/,
  /^(?:Dirty )?MRU \d+ entries = +\d+ \( *\d+%\)$/,
  /^Hash buckets with +\d+ entries +\d+ \( *\d+%\)$/,
  /^(?:doubling cache size to \d+|increasing cache size)/,
  // -v and -t.
  /^ {8}XFS_REPAIR Summary/,
  /^Phase\s+Start\s+End\s+Duration$/,
  /^Phase \d:\s+(?:\d\d\/\d\d|Skipped)/,
  // A run of less than a second has no time.
  /^Total run time:/,
  /^zero_log: head block \d+ tail block \d+$/,
  // Too little memory to be fast.
  /^Memory available for repair \(\d+MB\) may not be sufficient\.$/,
  /^At least \d+MB is needed to repair this filesystem efficiently$/,
  /^If repair fails due to lack of memory, please$/,
  /^(?:turn prefetching off \(-P\) to reduce the memory footprint|increase system RAM and\/or swap space to at least \d+MB)\.$/,
]);

/**
 * Messages of several lines that do not show it: how many lines follow the first, or how the last
 * one ends.
 */
export const FOLLOWING: ReadonlyArray<readonly [RegExp, number | RegExp]> = [
  // Six lines in xfs_repair 6.1, seven in 7.2, three with -n, two with -L.
  [
    /\b(?:ALERT|ERROR): The filesystem has valuable metadata changes in a log which/,
    /(?:replay the log|option was used|before doing this)\.$/,
  ],
  [
    /\bERROR: The log head and\/or tail cannot be discovered\. Attempt to mount the$/,
    /attempt a repair\.$/,
  ],
  [/^Superblock has unknown compat\/rocompat\/incompat/, /Exiting now\.$/],
  [/^Primary superblock would have been modified\.$/, 2],
  [
    /^(?:Primary superblock bad after phase 1!|Sorry, could not find valid secondary superblock)$/,
    1,
  ],
  [/^Only two AGs detected and they do not match - cannot validate/, 1],
  [/^Only one AG detected - cannot validate/, 1],
  [/^Superblock has bad magic/, 1],
  [/^Required memory for repair is greater/, 1],
  [/^WARNING: you have a V1 inode filesystem\./, 2],
  [/^Warning: {2}(?:user|group|project) quota information (?:was|would be) cleared\.$/, 1],
  [/Number of extents requested in blkmap_alloc/, 2],
  [/Number of extents requested in blkmap_grow/, 1],
  [/^Bad symlink buffer CRC/, 1],
  [/^[\da-f]+: Badness in key lookup \(length\)$/, 1],
  [/^Note - stripe unit/, /\bif necessary$/],
  [/^This filesystem uses feature\(s\) not yet supported/, 1],
  [/^converting back to version 1,$/, 1],
  [/^Sector size on host filesystem larger than image sector size\.$/, 1],
];
/** A message with a known last line has at most this many more. */
export const MOST_FOLLOWING = 9;

/**
 * A message that continues in its next line: that line is indented, or the message ends where no
 * sentence does.
 */
export const CONTINUATION = /^\t/;

/**
 * What is or would be done about the previous line, if the message says nothing more. It has no
 * number of its own, so it is about that line.
 */
export const ACTION =
  /^(?:(?:w(?:ould|ill)|Would|Will) (?:have )?|)(?:junk(?:ed|ing)?|clear(?:ed|ing)?|correct(?:ed|ing)?|fix(?:ing)?|reset(?:ting)?|rebuild(?:ing)?|repair(?:ing)?|zero(?:ing)?|mov(?:e|ing) to|rewrit(?:e|ing)|remov(?:e|ing)|trash(?:ing)?|truncat(?:e|ing)|replac(?:e|ing)|join(?:ing)?)\b(?: (?:block|entry|table|imap|inode|number|and|clearing|the|it|them|to|zero|magic|version|lost\+found|directory|regular|file|value|together|bad|flags2?|timestamps|[a-z]+_[a-z_]+))*\.*$/i;

export const REFUSED = /\b[Ww]ould (?:have |be )?\w+/;
export const MADE =
  /\b(?:correct(?:ing|ed)|resett?ing|reset to|clear(?:ing|ed)|junking|fix(?:ing|ed)|rebuilding|zeroing|zeroed|moving to|rewriting|repairing|removing|truncating|converting|setting|adding|will (?:clear|fix|reset|junk|rewrite|correct|set)|reinitializing|recreating|regenerating|writing modified|was cleared|were cleared)\b/i;

/** Topics of xfs_repair's messages; any other line is not understood. */
export const ABOUT_THE_FILE_SYSTEM =
  /\b(?:inodes?|ino|imap|id \d+|\w*dblock|dabno|Shared Version|Badness|exiting|reset(?:ting)? to \d+|back to version|file size|blocks?|\w*super(?:block)?s?|sb_?\w*|ag[fi]?\w*|ags?|agfl|director(?:y|ies)|dirs?|entry|entries|\w*bt(?:ree)?s?|bt\w+|bmap\w*|extents?|forks?|attr\w*|ACL|quotas?|dquots?|(?:user|group|project|other) id|log|realtime|rt\w*|\w*maps?|refcount\w*|reflink\w*|symlinks?|CRC|checksum|UUID|magic|metadata|hash\w*|freespace|freelist|free(?:tab)? |filesystem|file system|lost\+found|fatal error|error|errors|err|failed|cannot|can't|could not|couldn't|unable|malloc|memory|zoned? (?:\d+|size|capacity|start|type)|write preferred zone|invalid|illegal|corrupt\w*|bad|bogus|wrong|mismatch|inconsistent|xfs_\w+|libxfs\w*|xlog\w*|LSN|nlinks|i8count|namelen\w*|bestfree|needsrepair|superblock|feature\w*|lazy-counters|nrext64|timestamps?|duplicate|missing|incorrect|out-of-order|parent|rmap\w*|orphanage|records?|upgrade|supports?|stripe|geometry|device|mount\w*|cache\w*|leaf|state|counted|security|attribute\w*)\b/i;

/** How bad a message is; the first match, else `corruption`. */
export const SEVERITIES: ReadonlyArray<readonly [RegExp, Severity]> = [
  // A log that was not replayed: the rest speaks of a state that no kernel would see.
  [/\b(?:ALERT|ERROR): The filesystem has valuable metadata changes/, 'repairable'],
  ...CHECKED_NOTHING.map(([pattern]) => [pattern, 'notice'] as const),
  // xfs_repair -L sets the flag itself, and clears it.
  [/^clearing needsrepair flag/i, 'notice'],
  // No damage for xfs_repair either (repair/attr_repair.c, agheader.c): with -n it prints these by do_log and
  // exits with 0. The first remains where power was lost while an attribute was set.
  [/^would clear empty leaf attr block 0,|^would sync log incompat feature in AG/, 'notice'],
  [/^will clear empty leaf attr block 0,|^will sync log incompat feature in AG/, 'repairable'],
  // About its own cache: the consequence of an allocation group that it skipped.
  [/: Badness in key lookup/, 'repairable'],
  [/^Note - (?:quota info|stripe unit)/, 'notice'],
  [/^Warning: {2}no quota inodes were found/, 'notice'],
  [/^Would (?:reset sb_(?:unit|width)|clear needsrepair)/i, 'repairable'],
  [
    /^(?:sb_(?:icount|ifree|fdblocks|frextents)|agf_\w+|agi_\w+|used blocks) \d+, counted \d+/,
    'repairable',
  ],
  [/^(?:would have reset|resetting) inode \d+ nlinks from/, 'repairable'],
  [/^disconnected (?:dir )?inode \d+,/, 'repairable'],
  [/^Maximum metadata LSN .* is ahead of log/, 'repairable'],
  [/^(?:Would format|Format) log to cycle/, 'repairable'],
  [/quota|^(?:user|group|project) (?:id|quota)/i, 'repairable'],
];

/**
 * The opening of a name that has not ended in its line: it holds a line break. Xfs_repair prints
 * names as they are.
 */
export const OPEN_NAME =
  /^[^"]*\b(?:entry|illegal name) "(?!(?:.|\n)*"(?: (?:at|in|of|has|references|points|\(ino )|:|$))|\b(?:name|pointer) '(?!(?:.|\n)*'(?:\)| (?:key )?failed))/;
/** The pieces of a name are at most 255 bytes, each line break one of them. */
export const LONGEST_NAME = 300;
