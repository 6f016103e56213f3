import { anyOf, harmless, line, needing, type Rule } from './kernel-rule.js';

/**
 * Lines of fs/ext2, fs/ext4, fs/jbd2, fs/quota, fs/super.c, fs/erofs and fs/fuse. Those of fs/xfs:
 * kernel-xfs.ts.
 */

const EXT = String.raw`^(?<fs>EXT[234])-fs \((?<device>[^)]+)\): `;

/** The kernel does not know the format that mkfs made, or was built without support for it. */
const EXT_UNSUPPORTED = [
  ".*\\b[Cc]ouldn't (?:re)?mount (?:RDWR )?because of unsupported optional features.*",
  'revision level too high.*',
  'unsupported (?:blocksize|inode size|descriptor size)\\b.*',
  'bs\\(\\d+\\) > ps\\(\\d+\\) unsupported.*',
  'Unsupported (?:blocksize|encryption level)\\b.*',
  '.* cannot be mounted without CONFIG_\\w+',
  'The kernel was not built with CONFIG_.*',
  "can't mount with superblock charset.*",
  'Encoding requested by superblock is unknown',
  'VFS: Found ext4 filesystem with unknown checksum algorithm.*',
];

/** Refused requests, and mounts that go on without what was requested. */
const EXT_REFUSED = [
  "couldn't mount (?:as|because).*",
  "VFS: Can't find .*",
  "can't find an ext2 .*",
  'shut down requested.*',
  '(?:not enough|insufficient) memory.*',
  'bad blocksize .*',
  '(?:Ignoring|Journaled quota|Quota format|Quota file not|Remounting (?:file system|fs)) .*',
  '(?:warning: )?(?:maximal mount count|checktime) reached.*',
  '(?:warning: )?(?:feature flags set on rev 0|updating to rev) .*',
  '(?:warning: )?mounting ext3 filesystem as ext2.*',
  'warning: refusing change of dax flag.*',
  'warning: \\w+: block (?:< 0|is too big)',
  '(?:warning|Warning): mounting with .*',
  'mounting with "discard" option, but .*',
];

/** Damage, and writes that were lost. */
const EXT_DAMAGE = [
  'Remounting filesystem read-only',
  'mount failed',
  'previous I/O error to superblock.*',
  'error loading journal',
  '.*(?:[Cc]orrupt|failed!|I/O error|[Bb]ad block|checksum|data loss|uh-oh|not cleared!|tracked as orphan|jbd2_start: ).*',
  'This should not happen!.*',
  'Delayed block allocation failed.*',
  'failed to convert unwritten.*',
  "[Cc]an't read .*",
  'get orphan inode failed',
  'Failed to update primary superblock',
  'sb orphan head is .*',
  'ext4_check_descriptors: .*',
  'Magic mismatch.*',
  '[Jj]ournal (?:inode is deleted|UUID does not match).*',
  'no journal found',
  'Could not load journal inode',
  '\\w+:\\d+: inode #\\d+: .*',
  'ext4_remount: Checksum for group .*',
];

/** Of the kinds above, but useless as a finding. */
const EXT_HARMLESS = [
  '.*\\bDAX\\b.*',
  'mounting ext[23] file system using the ext4 subsystem',
  '\\S+, \\S+, bs=.*',
  '(?:mounted|re-mounted|unmounting|resized|resizing|recovery complete|orphan cleanup)\\b.*',
  '(?:barriers disabled|filesystem is read-only|reservations O(?:N|FF))',
  '\\d+ (?:orphan inode|truncate)\\w* .*',
  'mballoc: .*',
  'inode #\\d+: block \\d+: len \\d+: split block mapping.*',
  'Test dummy encryption mode enabled',
  'Supports \\(experimental\\) DIO atomic writes.*',
  '(?:Using encoding defined|Converting file system|Errors on filesystem, clearing|Skipping orphan cleanup) .*',
  '(?:INFO: recovery required|write access will be enabled)\\b.*',
  'external journal device major/minor numbers have changed',
  '(?:use dax instead of xip|\\(no\\)user_xattr options ?not supported)',
  // The values that follow a complaint of mballoc or about reserved blocks.
  '(?:Block reservation details|Free/Dirty block details|Total free blocks count|free_blocks=|dirty_blocks=|i_reserved_data_blocks=|blocksize: |pa \\S+: logic|start \\d+, size).*',
  '(?:stripe \\(\\d+\\) is not aligned|mb_optimize_scan should|encrypted files will use|Conflicting test_dummy|test_dummy_encryption requires).*',
];

/** Requests that the file system refused, and a directory that reached the format's limits. */
const EXT4_WARNED_ONLY = [
  "(?:Can't resize|Cannot add at group|can't shrink FS|won't resize|need to use ext2online|No reserved GDT|Reserved blocks too high|Bad blocks count|Last group|will only finish|too many blocks added|blocks_count overflow|inodes_count overflow|resize would cause|not enough memory|There are errors in the filesystem, so online)\\b.*",
  "can't read last block, resize aborted",
  'Cannot read last block .*',
  '(?:new group \\d+ GDT block|reserved GDT|reserved block) .*',
  '(?:Block|Inode) (?:bitmap|table)\\b.*(?:in GDT table|in inode table|not in group|overlaps GDT|same as inode).*',
  'Directory \\(ino: \\d+\\) (?:index full|htree depth)\\b.*',
  '(?:Enable large directory|Large directory) feature .*',
  '(?:MMP interval|MMP startup|fsck is running|Device is already active|kmmpd being stopped|Unable to create kmmpd)\\b.*',
  '(?:Setting inode version|metadata_csum and uninit_bg) .*',
  '(?:.*: )?(?:Unable to expand inode|Hash in dirent|Hash code is|Siphash requires|verity is only|Inconsistent encryption)\\b.*',
  '(?:.*: )?(?:allocation failed for atomic write|forced shrink of precached|refuse to create EA inode)\\b.*',
];

const EXT_RULES: readonly Rule[] = [
  harmless(anyOf(EXT, EXT_HARMLESS)),
  line('unsupported', anyOf(`${EXT}(?:error: )?(?<what>`, EXT_UNSUPPORTED, ')'), 'notice'),
  {
    ...line('fs-error', new RegExp(`${EXT}(?<what>shut down requested).*`), 'notice'),
    extent: 'event',
    // ext4_force_shutdown() gives up the journal.
    details: /^Aborting journal on device (?<device>[^\s.]+?)(?:-\d+)?\.$/,
  },
  // A mount that looks for another file system, as the kernel does for the root.
  line('fs-error', anyOf(`${EXT}(?:error: )?(?<what>`, EXT_REFUSED, ')'), 'notice'),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs error \(device (?<device>[^)]+)\)(?: in)?:? ?(?<function>\w+)(?::\d+)?: (?<what>.*)/,
  ),
  line('fs-error', /^(?<fs>EXT[234])-fs error(?<what>.*)/),
  line(
    'fs-error',
    anyOf(
      String.raw`^(?<fs>EXT4)-fs warning \(device (?<device>[^)]+)\): (?<function>\w+)(?::\d+)?: (?<what>`,
      EXT4_WARNED_ONLY,
      ')',
    ),
    'notice',
  ),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs warning \(device (?<device>[^)]+)\): (?<function>\w+)(?::\d+)?: (?<what>.*)/,
    'repairable',
  ),
  line('fs-error', new RegExp(`${EXT}(?:error|panic): (?:(?<function>\\w+): )?(?<what>.*)`)),
  line('fs-error', anyOf(`${EXT}(?<what>`, EXT_DAMAGE, ')')),
  line(
    'fs-error',
    new RegExp(
      `${EXT}(?<what>warning: mounting (?:fs with errors|unchecked fs).*|error count since last fsck.*|(?:initial|last) error at time.*)`,
    ),
    'repairable',
  ),
  // Other complaints: refused mounts, options, too little memory. A test reports them itself if
  // they matter.
  line(
    'fs-error',
    new RegExp(
      `${EXT}(?<what>.*\\b(?:[Ff]ail(?:ed|ure)|[Ee]rror|[Cc]an't|[Cc]annot|[Cc]ouldn't|[Uu]nable|[Bb]ad|[Ii]nvalid|[Ii]nconsistent|[Uu]nsupported|not supported|does not support|too (?:large|many|small|big)|insanely large|[Ii]nsufficient|[Nn]ot enough|[Uu]navailable|recommended|[Ii]ncompatible|ignored|cancelled|suppressed|mixing|not (?:a )?valid|not specified|must be|already specified|[Uu]nrecognized|read-only, try|has both|Missing|buggy|smaller than|size \\(-?\\d+\\) !=).*)`,
    ),
    'notice',
  ),
];

/** Lines of these file systems without a device. */
const EXT_OTHERS: readonly Rule[] = [
  line(
    'fs-error',
    /^(?<fs>EXT4)-fs: (?<function>\w+):\d+: (?<what>aborting transaction|inode on nonexistent device).*/,
  ),
  line('fs-error', /^(?<fs>EXT4): (?<what>jbd2_journal_dirty_metadata failed).*/),
  line('fs-error', /^(?<what>ES (?:insert |cache )?assertion failed)\b.*/),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs: (?<what>.*\b(?:[Ff]ailed|[Ee]rror|[Uu]nable|no memory|Invalid)\b.*)/,
    'notice',
  ),
  harmless(/^EXT[234]-fs(?: DEBUG|: (?:[Ww]arning: mounting|extents: |\d+ blocks in))/),
  harmless(
    /^(?:\[EXT4 FS bs=|ext4: filesystem with signed|System zones:|warning: checkpointing journal)/,
  ),
  line('fs-error', /^(?<what>Failed to read block bitmap|Bad reservation)\b.*/, 'repairable'),
  // Values printed after a complaint about an orphan inode or a reservation, and by debugging code.
  harmless(
    /^(?:ext4_test_bit|is_bad_inode|NEXT_ORPHAN|max_ino|i_nlink|sb_info orphan list|ext2_count_free_\w+: stored|group \d+: stored|Restarting reservation|Window map complete|Block Allocation Reservation|reservation window|Dropping fc block|Error (?:allocating crypto|setting up fname|converting filename)|In htree dirblock|Split block|Look up|names:|kaddr=|\d+ indexed blocks)/,
  ),
  harmless(/^ *inode \S+:\d+ at \S+: mode/),
  needing(':(', harmless(/^\w*:\([EU]\)/)),
  needing(': ret = ', harmless(/^\w+: ret = -?\d+$/)),
  needing(' hash ', harmless(/^\w*\s*\d+:\d+ hash /)),
  needing(
    'still in fc list',
    line('fs-error', /^(?<function>\w+): (?<what>inode \d+ still in fc list)/, 'repairable'),
  ),
];

const JBD2_REFUSED = [
  '(?:failed to (?:create|allocate)|no memory for)\\b.*',
  'Cannot (?:load|enable) .*',
  'Out of memory during recovery.*',
  'Incorrect Journal head block .*',
];

const JBD2: readonly Rule[] = [
  line('fs-error', /^Aborting (?<what>journal) on device (?<device>[^\s.]+)/),
  harmless(
    /^(?:JBD2: (?:Find incomplete commit|\S+ recovery information)|ENOMEM in \w+, retrying)/,
  ),
  line('unsupported', /^(?<fs>JBD2): (?<what>Unrecognised features on journal).*/, 'notice'),
  line('fs-error', anyOf('^(?<fs>JBD2): (?<what>', JBD2_REFUSED, ')'), 'notice'),
  line(
    'fs-error',
    /^(?<fs>JBD2): (?<what>.*(?:[Ee]rror|corrupt|[Ii]nvalid|failed|Failed|checksum|recovery pass|no valid journal|[Bb]ad\b|unrecognised|too short|too many credits|Waiting for Godot|assertion failure|b_transaction|leaked).*)/,
  ),
  needing(
    'freeing b_',
    line('fs-error', /^(?<function>\w+): (?<what>freeing b_(?:committed|frozen)_data)$/, 'notice'),
  ),
  needing(
    'bad jh for block',
    line('fs-error', /^(?<function>\w+): \S+: (?<what>bad jh for block) .*/),
  ),
  needing(
    'journal ',
    line(
      'fs-error',
      /^(?<function>\w+): (?<what>journal block not found at offset|Cannot (?:get buffer for|locate|read) journal superblock|no way to get more journal space).*/,
    ),
  ),
  needing(
    'blocks and only had',
    line('fs-error', /^(?<function>\w+): (?<what>needed) \d+ blocks and only had .*/),
  ),
  needing(
    'j_commit_request=',
    line('fs-error', /^(?<function>\w+): (?<what>error: j_commit_request=).*/),
  ),
];

const VFS: readonly Rule[] = [
  line(
    'fs-error',
    /^(?<fs>Quota) error \(device (?<device>[^)]+)\): (?<function>\w+): (?<what>.*)/,
  ),
  line('fs-error', /^(?<fs>VFS): (?<what>Busy inodes after unmount) of (?<device>[^\s.]+).*/),
  line(
    'fs-error',
    /^(?<fs>VFS)(?: \([^)]*\))?: ?(?<what>Dirty inode writeback failed)(?: for block device (?<device>\S+))?.*/,
  ),
  line(
    'fs-error',
    /^(?<fs>VFS)(?: \((?<device>[^)]*)\))?: ?(?<what>Writes happened after quota was disabled|Filesystem (?:freeze|thaw) failed|Failed to create quota|Cannot store|Not enough|[\w-]+: Refusing to turn on).*/,
    'notice',
  ),
  harmless(/^VFS: (?:Disk quotas|Dquot-cache hash)/),
  harmless(/^SGI XFS with /),
  harmless(/^Emergency (?:Remount|Sync|Thaw)\b/),
  line('fs-error', /^(?<what>Filesystem \S+ get_tree\(\) didn't set fc->root).*/),
];

const OTHER_UNSUPPORTED = [
  '.*\\bplease (?:upgrade|check) kernel.*',
  ".*\\b(?:isn't supported|is not supported yet|unsupported|isn't enabled on this kernel)\\b.*",
  'compression disabled, .*',
  'file-backed mounts cannot be applied.*',
];
const EROFS = String.raw`^(?<fs>erofs)(?::? \(device (?<device>[^)]+)\))?: (?:(?<function>[a-z]\w*_\w+): )?`;

const OTHERS: readonly Rule[] = [
  line('unsupported', anyOf(`${EROFS}(?<what>`, OTHER_UNSUPPORTED, ')'), 'notice'),
  harmless(new RegExp(`${EROFS}(?:mounted with|initialized|EXPERIMENTAL|unmounted)`)),
  line(
    'fs-error',
    new RegExp(
      `${EROFS}(?<what>.*(?:cannot read erofs superblock|cannot find valid erofs|\\b(?:DAX|dax)\\b|failed to get cookie|failed to register volume|already exists in domain|per-cpu workers|extra devices don't match|empty device tag).*)`,
    ),
    'notice',
  ),
  line('fs-error', new RegExp(`${EROFS}(?<what>.*)`)),
  needing(
    'readahead error',
    line('fs-error', /^(?<function>\w+), (?<what>readahead error at page) .*/),
  ),
  line(
    'fs-error',
    /^(?<fs>fuse|virtiofs)(?: [\w.]+)?: (?:virtio-fs: )?(?<what>.*\b(?:(?:virtio_fs_)?enqueue_req\(\) failed|mismatch|[Ff]ailed to remove ?mappings?|invalid state|response too short|Failed to get root inode).*)/,
  ),
  harmless(/^fuse: (?:init \(API|.*\bdisabled by module parameter|No fuse device found)/),
  line(
    'fs-error',
    /^(?<fs>fuse|virtiofs|CUSE)(?: [\w.]+)?: (?<what>.*\b(?:[Ff]ail(?:ed)?|[Ee]rror|[Ii]nvalid|not (?:found|yet supported|supported|enabled|properly)|incompatible|could not|can't be|unspecified|unknown|zero length|should be zero|teardown|state[ =])\b.*)/,
    'notice',
  ),
  harmless(
    /^(?:fuse|virtiofs)\S*(?: [\w.]+)?: .{0,40}?(?:discovered new tag|No cache capability|Cache len|qid=\d+ (?:commit_id|state=))/,
  ),
];

export const FILE_SYSTEMS: readonly Rule[] = [
  ...EXT_RULES,
  ...EXT_OTHERS,
  ...JBD2,
  ...VFS,
  ...OTHERS,
];
