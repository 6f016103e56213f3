import { anyOf, FUNCTION, type Head, harmless, line, type Rule } from './kernel-rule.js';

/** Lines of fs/xfs: xfs_message.c, xfs_error.c, xfs_fsops.c, xfs_log.c, libxfs/xfs_sb.c and others. */

/** `XFS (pmem0): `, or `XFS: ` if no device is known. */
const XFS = String.raw`^(?<fs>XFS)(?: \((?<device>[^)]+)\))?: (?:XFS: )?`;

/**
 * What XFS prints after it has found damage, while the same device is named: where it was found, what
 * to do, the damaged bytes, the I/O error that the reader gets, the shutdown.
 */
const AFTER_DAMAGE = anyOf(XFS, [
  'Unmount and run xfs_repair',
  'Corruption detected\\. Unmount and run xfs_repair',
  'First \\d+ bytes of corrupted metadata buffer',
  '[Mm]etadata I/O [Ee]rror(?: in|:) .*(?:daddr|block) .*error (?:117|74)\\b',
  'Internal error xfs_trans_cancel at ',
  'xfs_do_force_shutdown\\(0x[\\da-f]+\\) called from ',
  'Corruption of (?:in-memory data|on-disk metadata) .*',
  '(?:Log|Metadata|I/O) (?:I/O )?Error (?:\\(0x[\\da-f]+\\) )?[Dd]etected',
  'Filesystem has been shut down due to log error',
  'log I/O error -5',
  'Please u[n]?mount the filesystem and rectify the problem',
  'Please run xfs_repair to determine the extent',
  'Failed to recover (?:intents|leftover CoW)',
  'Ending recovery|log mount (?:finish )?failed|log mount/recovery failed',
  'SB validate failed with error -(?:117|74)',
  '(?:Offset|Owner|Start block|start block|start inode|AG \\d+:) ',
  'page discard on page ',
]);
/** A hex dump of the damaged buffer, which does not name a device. */
const DUMP = /^[\da-f]{8}: (?:[\da-f]{2,8} ){4}/;
const WITH_DUMP = new RegExp(`${AFTER_DAMAGE.source}|${DUMP.source}`);

/** A requested shutdown: its flags have bit 2 (SHUTDOWN_FORCE_UMOUNT). */
const AFTER_REQUEST = anyOf(XFS, [
  '(?:Log|Metadata) I/O Error (?:\\(0x[\\da-f]*[4-7c-f]\\) )?[Dd]etected',
  'xfs_do_force_shutdown\\(0x[\\da-f]*[4-7c-f]\\) called from ',
  'Filesystem has been shut down due to log error \\(0x[\\da-f]+\\)',
  'log I/O error -5',
  'Please u[n]?mount the filesystem and rectify the problem',
]);

/** The kernel does not know the format that mkfs.xfs made, or was built without support for it. */
const UNSUPPORTED = [
  'Superblock has unknown .*features.*',
  'Superblock has bad version .*',
  '(?:Deprecated|V4 Filesystem) .*not supported by kernel.*',
  'block size \\(\\d+ bytes\\) not supported.*',
  '(?:V4 Filesystem|File system) with blocksize \\d+ bytes\\. Only pagesize .*',
  'inode size of \\d+ bytes not supported.*',
  'quota support not available in this kernel.*',
  'Not built with CONFIG_XFS_\\w+.*',
  'Cannot set_blocksize to .*',
  'Trying to recover dquots without QUOTA support.*',
];
const AFTER_UNSUPPORTED = anyOf(XFS, [
  'SB validate failed with error -22',
  'Superblock has unknown ',
  'Using a more recent kernel is recommended',
  'Filesystem can(?:not| only) be safely mounted',
  'Attempted to mount read-only compatible filesystem read-write',
  'The log can not be fully and/or safely recovered',
  'Please recover the log on a kernel that supports',
  'log mount failed',
  'log mount/recovery failed: error -22',
]);

/** Without the line that says what is not supported; the superblock's own damage has another error. */
const REST_OF_UNSUPPORTED = [
  'SB validate failed with error -22',
  'Using a more recent kernel is recommended.*',
  'Filesystem can(?:not| only) be safely mounted.*',
  'Attempted to mount read-only compatible.*',
  'The log can not be fully and/or safely recovered.*',
  'Please recover the log on a kernel that supports.*',
];

/** Found in stored data, or in memory before it is stored. */
const DETECTED: readonly Head[] = [
  {
    ...line(
      'fs-error',
      new RegExp(
        `${XFS}(?<what>Internal error [^\\s]+) at line \\d+ of file (?<file>\\S+?)\\. {1,2}Caller (?:0x[\\da-f]+|${FUNCTION}).*`,
      ),
    ),
    extent: 'stack',
    details: WITH_DUMP,
  },
  event(
    new RegExp(
      `${XFS}(?<what>Metadata (?:corruption|CRC error) detected) at ${FUNCTION}, (?:\\w+ )?(?:block|inode|dquot|quota)? ?.*`,
    ),
  ),
  line(
    'fs-error',
    new RegExp(`${XFS}(?<what>Assertion failed: .{0,200}?), file: (?<file>\\S+?), line: \\d+.*`),
  ),
  // A write verifier that found unknown feature bits in its own superblock in memory.
  event(new RegExp(`${XFS}(?<what>Corruption detected in superblock .*)`)),
  event(
    new RegExp(
      `${XFS}(?<what>(?:.* )?(?:[Bb][Tt]ree|bt) (?:[Rr]ecord )?corruption\\b.*|Corruption detected!.*|corrupt (?:dinode|inode|dquot).*|Bad (?:inode|dir|regular|\\S+ meta btree).*)`,
    ),
  ),
];

const REQUESTED: readonly Rule[] = [
  {
    ...line('fs-error', new RegExp(`${XFS}(?<what>User initiated shutdown).*`), 'notice'),
    extent: 'event',
    details: AFTER_REQUEST,
  },
  // The shutdown that follows, if the line before it was lost.
  line(
    'fs-error',
    new RegExp(
      `${XFS}(?<what>(?:Log|Metadata) I/O Error \\(0x[\\da-f]*[4-7c-f]\\) detected|xfs_do_force_shutdown\\(0x[\\da-f]*[4-7c-f]\\) called).*`,
    ),
    'notice',
  ),
];

/** Requests, mount options and geometries that XFS refused, and injected errors. */
const REFUSED = [
  'Injecting (?:error|\\d+ms delay).*',
  'Intentionally corrupted log record.*',
  'write access unavailable.*',
  'Please unmount the filesystem and rectify.*',
  '.*\\b(?:mount option|mounts? must be|logbufs?(?:ize)?|log iosize|sunit|swidth|stripe (?:width|alignment)|not (?:supported|available|compatible)|unsupported (?:feature|option)|incompatible|deprecated|kernel is recommended|logdev|rtdev|project and group quota|too large to be mounted|does not support|transition prohibited|Cannot mount|block alignment|[Ll]og s(?:ize|ector size)|idmapped mounts|log stripe unit|identical rtdev)\\b.*',
  '(?:attr2 and noattr2 cannot|cannot mount a read-only filesystem|Invalid device|invalid flag combination|Cannot turn on quotas for realtime|disabling of quota).*',
  '(?:unknown mount option|invalid iclog size|(?:XFS_IOC_\\S+|\\w+ should use fallocate)).*',
  '(?:cannot support|max atomic write size|Using experimental|using DEBUG-only).*',
  '(?:Block size \\(\\d+ bytes\\)|Filesystem has a realtime volume|Not enough|need at least|too many open zones|zoned file systems|device supports|please mount with|metadir (?:enabled|feature)|Realtime groups feature|RT device missing|filesystem is not ready|no log defined|limiting open zones|log sector size).*',
  '(?:ENOSPC reserving|Reserve blocks depleted|Per-AG reservation for|Unable to (?:allocate reserve|free reserved)|Insufficient free space|(?:realtime )?allocation \\(-?\\d+\\) larger).*',
  '(?:discard failed for|error allocating secondary|Trying to grow file system|Short write on ino|new RT volume size|MAX_LFS_FILESIZE|Superblock earlier than|Version 5 of Super block|Device is about to be removed|(?:already|still) frozen).*',
  '(?:stripe (?:unit|width)|alignment check failed|bulkstat|mounting with "discard"|realtime mount --).*',
];

/** Other messages that report a problem, recognised by their words. */
const WRONG =
  /(?<what>.*(?:[Cc]orrupt|CORRUPT|I\/O [Ee]rror|[Ii]nternal error|[Ss]hut(?:ting)? down|shutdown|[Ff]ailed|FAILED|[Uu]nmount and run|run xfs_repair|needs repair|bad magic|\b[Bb]ad\b|\bBAD\b|mismatch|does not match|[Mm]etadata LSN|metadata errors|hard error|can't|[Cc]annot|could ?n[o']t|[Uu]nable to|log mount\/recovery|returned error|\b[Ee]rror -?\d|out of range|block zero|ran out of|overrun|overflow|[Tt]orn write|known in-use inode|infinite loop|deadlock|NULL dquot|dquot too small|nlink zero|wrong leaf|head behind tail|tail wrapped|head has wrapped|[Ii]nvalid|[Ii]nconsistent|unexpected|unrecogni[sz]ed|page discard|called from line|in inode \d+ attr fork|delalloc extent|Unknown buffer type|quotacheck forced|Unsuccessful|into a BUG|not in the AIL|!= tail_cycle|>= (?:mp->|xfs_ag_block)|sb_inprogress set|too small to reflect|ptrs are equal|at error0|> sb_dblocks|!= (?:XFS|xfs)_AGINO|!= (?:pag->pag_agno|pag_agno)|xfs_agino_to_ino|bad symlink length|BBTOB|needed freesp block|has no regions|no buf ops|thispa|free more blocks|attr extents|non-zero used counter|outside of zone|larger than (?:write pointer|zone capacity|sb_rblocks)|overlaps sb_dblocks|unknown zone condition|unsupported (?:zone condition|type|chunk length)|(?:must (?:not )?|should )be zero|must be (?:at least|less than)|do not cover|not aligned to RT|partial inode chunk).*)/;

/** Progress, and the values that follow a complaint. */
const HARMLESS = [
  '.*\\bDAX\\b.*',
  'EXPERIMENTAL.*',
  '(?:Mounting|Ending (?:clean|recovery)|Unmounting|Starting recovery|Deprecated|Delaying)\\b.*',
  '(?:Quotacheck(?:: Done| needed)|resetting quota flags|Clearing xfsstats|Fixing up incorrect CRC).*',
  '(?:Found unrecovered unlinked|Will try to correct|correcting sb_features|Inode 0x[\\da-f]+ link count).*',
  '(?:\\d+ zones of|(?:io|ra)_pages changed|null uuid in log|totally zeroed log|Tail block).*',
  '[\\w%]+ required on read-only device.*',
  '(?:\\S+: Unmount LR|Offline file system operation).*',
  // Dumps of a log ticket, of a log item, of an extent list and of a grant head.
  ' *(?:first \\d+ bytes of iovec|len = |type = |GH  |alloc_size = |buf len = |buf used= |bytes = |ctx ticket|current res = |flags +=|iovec\\[|log (?:count|items?|res)\\b|num regions|ophdrs? |total reg |region\\[|niovecs|original count|remaining count|size = |split region headers|tail_cycle = |unit res).*',
  '(?:\\.\\.\\. fblk|fblk|write grant|\\[\\d+\\]|ticket reservation summary|transaction summary|log item:).*',
  ' *(?:\\.\\.\\. fblk| fblk|type  ?=|flags  ?=|unit res).*',
  '(?:Offset|Owner|Start block|start block|start inode) .*',
  '\\w+: bno \\d+ inode \\d+',
  'Continuing onwards.*',
  '\\w+: will fix summary counters.*',
  'ctx ticket reservation ran out.*',
];

export const XFS_RULES: readonly Rule[] = [
  harmless(anyOf(XFS, HARMLESS)),
  {
    ...line('unsupported', anyOf(`${XFS}(?<what>`, UNSUPPORTED, ')'), 'notice'),
    extent: 'event',
    details: AFTER_UNSUPPORTED,
  },
  line('unsupported', anyOf(`${XFS}(?<what>`, REST_OF_UNSUPPORTED, ')'), 'notice'),
  ...DETECTED,
  ...REQUESTED,
  line('fs-error', anyOf(`${XFS}(?<what>`, REFUSED, ')'), 'notice'),
  event(new RegExp(XFS + WRONG.source)),
];

function event(pattern: RegExp): Head {
  return { ...line('fs-error', pattern), extent: 'event', details: WITH_DUMP };
}
