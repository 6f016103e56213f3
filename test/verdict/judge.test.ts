import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import type { DataLook, GuestEvent, ProofEvent } from '../../cli/guest/protocol.js';
import type { Expectation, UnitRecord } from '../../cli/record/record.js';
import { judge, type Verdict } from '../../cli/verdict/judge.js';
import {
  dataLooks,
  expectation,
  FSCK,
  type Fs,
  finding,
  goodRecord,
  LAYERS,
  layer,
  proof,
  replaced,
  report,
  STATX_ATTR_DAX,
  testEvent,
} from './records.js';
import { goodXfstests, ID, check as suiteCheck } from './xfstests-records.js';

const ALL: Fs[] = ['ext2', 'ext4', 'xfs'];

interface Case {
  name: string;
  fs?: Fs[];
  record?: (record: UnitRecord, fs: Fs) => UnitRecord;
  expected?: Partial<Expectation>;
  verdict: Verdict;
  reason: RegExp;
  /**
   * If it differs from what the verdict implies: `fail` and `pass` are proven, others mostly not.
   */
  proven?: boolean;
}

/** From here on somebody works in the guest. */
const SESSION: GuestEvent = { event: 'step', name: 'session' };

const CXL_PATH =
  'nd_pmem:pfn0.0 cxl_acpi:ACPI0017:00 cxl_pmem_region:pmem_region0 cxl_port:endpoint2 cxl_nvdimm:pmem0 cxl_mem:mem0';
const EXISTING: DataLook = {
  how: 'existing',
  device: '/dev/pmem0',
  position: 8192,
  same: 9,
  problem: '',
};
const ON_REALTIME = {
  options: 'rw,relatime,dax=always,rtdev=/dev/pmem2',
  realtimeAttributes: STATX_ATTR_DAX,
};

const onDisk = (table: string) => layer('dm-0', 'device-mapper', '254:0', table);
const STRIPED = '0 8192 striped 2 128 259:2 0 259:3 0';
const ON_PARTITION = [
  onDisk('0 8192 linear 259:2 8192\n8192 8192 linear 259:2 0'),
  ...LAYERS.partition,
];

/** What lies between device and file system, and is not what was asked for. */
function wrongLayers(): Case[] {
  const [stack, disk] = LAYERS.linear;
  const [part] = LAYERS.partition;
  const cases: [string, Partial<Expectation>, ProofEvent['layers'], RegExp][] = [
    [
      'nothing is known',
      { stack: 'linear' },
      undefined,
      /is not a device of device mapper, but --stack linear/,
    ],
    ['the device itself', { stack: 'stripe' }, [disk], /is not a device of device mapper/],
    [
      'another target',
      { stack: 'stripe' },
      LAYERS.linear,
      /is not made of dm-stripe alone: its table has "0 8192 linear 259:0 8192"/,
    ],
    [
      'one segment has another target',
      { stack: 'linear' },
      [onDisk('0 8 linear 259:0 8\n8 8 zero'), disk],
      /has "8 8 zero"/,
    ],
    ['no table', { stack: 'linear' }, [onDisk(''), disk], /is not a device of device mapper/],
    [
      'a segment in the middle of a page',
      { stack: 'linear' },
      [onDisk('0 8192 linear 259:0 1'), disk],
      /begins in the middle of a page of the device below it: "0 8192 linear 259:0 1"/,
    ],
    [
      'a segment that follows such a one',
      { stack: 'linear' },
      [onDisk('0 9 linear 259:0 8\n9 8 linear 259:0 24'), disk],
      /"9 8 linear 259:0 24"/,
    ],
    [
      'stripes of half a page',
      { stack: 'stripe' },
      [onDisk('0 8192 striped 2 4 259:0 0 259:0 4096'), disk],
      /in the middle of a page/,
    ],
    [
      'a stripe in the middle of a page',
      { stack: 'stripe' },
      [onDisk('0 8192 striped 2 128 259:0 0 259:0 4097'), disk],
      /in the middle of a page/,
    ],
    ...(
      [
        ['one device for all stripes', STRIPED.replaceAll('259:3', '259:2'), 'pmem0p1@4096'],
        ['parts that are not known', STRIPED, ''],
        ['parts of two devices', STRIPED, 'pmem0p1@4096 pmem1p1@4096'],
        ['parts of a device of a longer name', STRIPED, 'pmem0p1@4096 pmem00p2@4096'],
        ['three parts', STRIPED, 'pmem0p1@4096 pmem0p2@8192 pmem0p3@16384'],
        ['a part in the middle of a page', STRIPED, 'pmem0p1@4096 pmem0p2@8193'],
        ['a disk as a part', STRIPED, 'pmem0p1@4096 pmem0'],
      ] as const
    ).map(([name, table, below]): (typeof cases)[number] => [
      name,
      { stack: 'stripe' },
      [{ ...onDisk(table), below }, ...LAYERS.partition],
      /is not on two partitions of one device: /,
    ]),
    [
      'stripes without a partition',
      { stack: 'stripe' },
      [onDisk(STRIPED.replaceAll('259:2', '259:0')), disk],
      /is not on (?:two partitions|a partition)/,
    ],
    [
      'a segment on another device',
      { stack: 'linear' },
      [onDisk('0 8 linear 259:0 0\n8 8 linear 259:9 0'), disk],
      /is not on pmem0 alone/,
    ],
    [
      'a log alone',
      { stack: 'log-writes' },
      [onDisk('0 8 log-writes 259:9 259:0'), disk],
      /is not on pmem0 alone/,
    ],
    [
      'a disk that is no pmem',
      { stack: 'linear' },
      [stack, { ...disk, node: 'ram0' }],
      /does not lie on a device of memmap in the requested way: dm-0 on ram0/,
    ],
    ['no disk', { stack: 'linear' }, LAYERS.linear.slice(0, 1), /in the requested way: dm-0/],
    ['no partition', { partition: true }, [disk], /is not on a partition, as requested/],
    [
      'no partition below',
      { partition: true, stack: 'linear' },
      LAYERS.linear,
      /is not on a partition/,
    ],
    [
      'a partition too many',
      { stack: 'linear' },
      ON_PARTITION,
      /in the requested way: dm-0 on pmem0p1 on pmem0/,
    ],
    [
      'a partition in the middle of a page',
      { partition: true },
      [{ ...part, start: 63 }, disk],
      /pmem0p1 begins in the middle of a page, at sector 63/,
    ],
    ['a stack too many', { partition: true }, ON_PARTITION, /is not on a partition/],
  ];
  return cases.map(([name, expected, layers, reason]) => ({
    name: `layers: ${name}`,
    expected: { ...expected, pmem: 'memmap' },
    record: everywhere(layers ? { layers } : {}),
    verdict: 'invalid',
    reason,
  }));
}

/** Changes the proofs at these times. */
const proofs =
  (change: Partial<ProofEvent>, ...when: ProofEvent['when'][]) =>
  (record: UnitRecord) =>
    replaced(record, 'proof', (event) => [
      event.event === 'proof' && when.includes(event.when)
        ? ({ ...event, ...change } as GuestEvent)
        : event,
    ]);
const everywhere = (change: Partial<ProofEvent>) => proofs(change, 'before', 'after');
const test = (change: Parameters<typeof testEvent>[0]) => (record: UnitRecord) =>
  replaced(record, 'test', () => [testEvent(change)]);
const check = (change: Parameters<typeof report>[0], status = 0) => {
  return (record: UnitRecord): UnitRecord => ({
    ...replaced(record, 'fsck', () => [{ ...FSCK, status }]),
    checks: { test: report(change) },
  });
};
const without = (name: GuestEvent['event']) => (record: UnitRecord) =>
  replaced(record, name, () => []);
const ended = (ending: UnitRecord['ending']) => (record: UnitRecord) => ({ ...record, ending });
/** The guest came this far and no further. */
const cutAt =
  (name: GuestEvent['event'], ending: UnitRecord['ending']) => (record: UnitRecord) => ({
    ...record,
    ending,
    checks: {},
    events: record.events.slice(
      0,
      record.events.findIndex(({ event }) => event === name),
    ),
  });
const plus =
  (...events: GuestEvent[]) =>
  (record: UnitRecord) => ({ ...record, events: [...record.events, ...events] });

const TURNED_OFF =
  '[    5.1] EXT2-fs (pmem0): warning: DAX unsupported by block device. Turning off DAX.';
const stamped = (text: string) => `[    5.100000] ${text}`;

const FALSE_PASSES: Case[] = [
  {
    name: 'ext2 mounts without DAX on a device that has none',
    fs: ['ext2'],
    record: everywhere({
      options: 'rw,relatime',
      statxAttributes: 0,
      kernelLog: stamped(TURNED_OFF.slice(TURNED_OFF.indexOf('EXT2'))),
    }),
    verdict: 'invalid',
    reason: /not among the mount options.*"EXT2-fs.*Turning off DAX/,
  },
  {
    name: 'xfs falls back to dax=never',
    fs: ['xfs'],
    record: everywhere({ options: 'rw,relatime,dax=never', statxAttributes: 0 }),
    verdict: 'invalid',
    reason: /not among the mount options.*dax=never/,
  },
  {
    name: 'dax=inode is no proof',
    fs: ['ext4', 'xfs'],
    record: everywhere({ options: 'rw,dax=inode' }),
    verdict: 'invalid',
    reason: /not among the mount options/,
  },
  {
    name: 'a word that only looks like dax',
    record: everywhere({ options: 'rw,nodax,daxx,xdax=always' }),
    verdict: 'invalid',
    reason: /not among the mount options/,
  },
  {
    name: 'ext4 refuses the mount',
    fs: ['ext4'],
    record: (record) => ({
      ...cutAt('proof', { kind: 'finished' })(record),
      events: [
        {
          event: 'mount-failed',
          message: 'mount: wrong fs type, bad option',
          kernelLog: stamped('EXT4-fs (pmem0): DAX unsupported by block device.'),
        },
        { event: 'finished' },
      ],
    }),
    verdict: 'invalid',
    reason: /ext4 was not mounted: "EXT4-fs \(pmem0\): DAX unsupported/,
  },
  {
    name: 'the mount is refused for an option: the kernel names it, DAX is not the reason',
    record: (record) => ({
      ...cutAt('proof', { kind: 'finished' })(record),
      events: [
        {
          event: 'mount-failed',
          message: 'mount: wrong fs type, bad option',
          kernelLog: [
            '[    1.000000] EXT4-fs (pmem1): an older complaint',
            '[    2.000000] daxrepro: mount',
            '[    2.100000] EXT4-fs (pmem0): DAX enabled. Warning: EXPERIMENTAL, use at your own risk',
            '[    2.200000] EXT4-fs (pmem0): Unrecognized mount option "nonsense"',
          ].join('\n'),
        },
        { event: 'finished' },
      ],
    }),
    verdict: 'invalid',
    reason: /was not mounted: "EXT4-fs \(pmem0\): Unrecognized mount option "nonsense""/,
  },
  {
    name: 'the mount is refused, and the kernel says nothing',
    record: (record) => ({
      ...cutAt('proof', { kind: 'finished' })(record),
      events: [
        { event: 'mount-failed', message: '\nmount: /mnt/test: bad option.\n', kernelLog: '' },
      ],
    }),
    verdict: 'invalid',
    reason: /was not mounted: mount: \/mnt\/test: bad option/,
  },
  {
    name: 'the block size is not the page size',
    record: everywhere({ blockSize: 1024 }),
    verdict: 'invalid',
    reason: /block size \(1024\) is not the page size \(4096\)/,
  },
  {
    name: 'no block size',
    record: everywhere({ blockSize: undefined, pageSize: undefined }),
    verdict: 'invalid',
    reason: /block size/,
  },
  {
    name: 'ext2 served by ext4',
    fs: ['ext2'],
    record: everywhere({
      servedByExt4: true,
      kernelLog: stamped('EXT4-fs (pmem0): mounting ext2 file system using the ext4 subsystem'),
    }),
    verdict: 'invalid',
    reason: /served by the ext4 driver, not ext2.*using the ext4 subsystem/,
  },
  {
    name: 'the module is loaded, and serves nothing',
    fs: ['ext2'],
    record: everywhere({ moduleReferences: 0 }),
    verdict: 'invalid',
    reason: /no evidence that the ext2 driver serves/,
  },
  {
    name: 'the module has other users, and as many as before',
    fs: ['ext2'],
    record: everywhere({ moduleReferences: 2, moduleReferencesUnmounted: 2 }),
    verdict: 'invalid',
    reason: /no evidence that the ext2 driver serves/,
  },
  {
    name: 'no trace of the module',
    fs: ['ext2'],
    expected: { module: { sha256: 'c0ffee', buildId: '', sent: true } },
    record: everywhere({ moduleReferences: undefined, moduleBuildId: '' }),
    verdict: 'invalid',
    reason: /no evidence that the ext2 driver serves/,
  },
  {
    name: 'the type says so, and the driver keeps no directory for the mount',
    fs: ['ext4', 'xfs'],
    record: everywhere({ servedByExt4: false, servedByXfs: false }),
    verdict: 'invalid',
    reason: /no evidence that the \w+ driver serves/,
  },
  {
    name: 'another type',
    record: everywhere({ type: 'tmpfs', servedByExt4: false, servedByXfs: false }),
    verdict: 'invalid',
    reason: /served by the tmpfs driver/,
  },
  {
    name: 'another build of the module',
    record: everywhere({ moduleBuildId: 'ffff' }),
    verdict: 'invalid',
    reason: /the loaded \w+ module \(build id ffff\) is not the one to be tested/,
  },
  {
    name: 'no build id where there should be one',
    record: everywhere({ moduleBuildId: '' }),
    verdict: 'invalid',
    reason: /build id none/,
  },
  {
    name: 'another file than was sent',
    fs: ['ext2'],
    record: (record) =>
      replaced(record, 'module', () => [
        { event: 'module', name: 'ext2', sha256: 'bad', origin: 'sent' },
      ]),
    verdict: 'invalid',
    reason: /a different ext2 module from the one it was sent/,
  },
  {
    name: "the kernel's own module in the place of the one that was sent",
    fs: ['ext2'],
    record: (record) =>
      replaced(record, 'module', () => [
        { event: 'module', name: 'ext2', sha256: '', origin: 'kernel' },
      ]),
    verdict: 'invalid',
    reason: /a different ext2 module from the one it was sent/,
  },
  {
    name: 'the module that was sent was never loaded',
    fs: ['ext2'],
    record: without('module'),
    verdict: 'invalid',
    reason: /did not load the ext2 module that it was sent/,
  },
  {
    name: 'another kernel',
    record: (record) => ({
      ...record,
      ready: record.ready && { ...record.ready, release: '6.1.0-57-amd64' },
    }),
    verdict: 'invalid',
    reason: /runs kernel 6\.1\.0-57-amd64, not 6\.1\.0-56-amd64/,
  },
  {
    name: 'a clone of another kernel than its checkpoint says',
    record: (record) => ({
      ...record,
      events: [{ event: 'begin', release: '5.10.0-1-amd64', bootId: '' }, ...record.events],
    }),
    verdict: 'invalid',
    reason: /runs kernel 5\.10\.0-1-amd64, not 6\.1\.0-56-amd64/,
  },
  {
    name: 'it never said which kernel',
    record: (record) => ({ ...record, ready: undefined }),
    verdict: 'error',
    reason: /did not report its kernel/,
    proven: true,
  },
  {
    name: 'statx says no',
    record: everywhere({ statxAttributes: 0 }),
    verdict: 'invalid',
    reason: /does not use DAX, as statx reports/,
  },
  {
    name: 'a file on the realtime device does not use DAX',
    fs: ['xfs'],
    expected: { devices: ['TEST_RTDEV', 'SCRATCH_RTDEV'] },
    record: everywhere({
      options: 'rw,relatime,dax=always,rtdev=/dev/pmem2',
      realtimeAttributes: 0,
    }),
    verdict: 'invalid',
    reason: /new file on the realtime device does not use DAX/,
  },
  {
    name: 'nobody knows whether a file on the realtime device uses DAX',
    fs: ['xfs'],
    expected: { devices: ['TEST_RTDEV', 'SCRATCH_RTDEV'] },
    record: everywhere({ options: 'rw,relatime,dax=always,rtdev=/dev/pmem2' }),
    verdict: 'invalid',
    reason: /did not report whether a new file on the realtime device/,
  },
  {
    name: 'TEST_DEV is mounted without the devices that were asked for',
    fs: ['xfs'],
    expected: { devices: ['TEST_RTDEV', 'SCRATCH_RTDEV'] },
    record: everywhere({}),
    verdict: 'invalid',
    reason: /mounted without the realtime device/,
  },
  {
    name: 'TEST_DEV is mounted with an internal log instead',
    fs: ['xfs'],
    expected: { devices: ['TEST_LOGDEV', 'SCRATCH_LOGDEV'] },
    record: everywhere({}),
    verdict: 'invalid',
    reason: /mounted without the external log/,
  },
  {
    name: 'what is stored through DAX lies elsewhere on the block device',
    record: everywhere({ data: dataLooks(17, 0) }),
    verdict: 'invalid',
    reason:
      /^before the test: DAX does not reach the bytes of the block device: of 4096 bytes written to a new file, \/dev\/pmem0 has 17 at byte 33554432$/,
  },
  {
    name: 'the same after a test that failed',
    record: (record) =>
      test({ status: 1, failures: 'x' })(proofs({ data: dataLooks(0, 0) }, 'after')(record)),
    verdict: 'invalid',
    reason: /^after the test: DAX does not reach the bytes of the block device/,
  },
  {
    name: 'the same at a remount, seen in an existing file',
    record: (record, fs) =>
      replaced(record, 'test', (event) => [
        proof(fs, 'remount', { data: [...dataLooks(undefined, undefined), EXISTING] }),
        event,
      ]),
    verdict: 'invalid',
    reason:
      /^at a remount within the test: .* of 4096 bytes of an existing file, \/dev\/pmem0 has 9/,
  },
  {
    name: 'the guest did not compare any data',
    record: everywhere({ data: undefined }),
    verdict: 'error',
    reason: /^before the test: the data of a new file was not compared with its block device$/,
    proven: true,
  },
  {
    name: 'the guest compared none at one of its looks',
    record: proofs({ data: [] }, 'after'),
    verdict: 'error',
    reason: /^after the test: the data of a new file was not compared/,
    proven: true,
  },
  {
    name: 'nothing could be compared',
    record: proofs({ data: dataLooks(undefined, undefined) }, 'after'),
    verdict: 'error',
    reason: /was not compared with its block device \(a page cannot be written: No space left/,
    proven: true,
  },
  {
    name: 'one of two ways through DAX reaches other bytes, and the test did not notice',
    record: proofs({ data: dataLooks(4096, 0) }, 'after'),
    verdict: 'error',
    reason: /of 4096 bytes stored through a mapping of a new file, \/dev\/pmem0 has 0 at byte/,
    proven: true,
  },
  {
    name: 'a page of which one byte is wrong',
    record: everywhere({ data: dataLooks(4095, 4095) }),
    verdict: 'invalid',
    reason: /has 4095 at byte/,
  },
  {
    name: 'the realtime device has other bytes',
    fs: ['xfs'],
    expected: { devices: ['TEST_RTDEV', 'SCRATCH_RTDEV'] },
    record: everywhere({ ...ON_REALTIME, realtimeData: dataLooks(0, 0) }),
    verdict: 'invalid',
    reason: /^before the test: DAX does not reach the bytes of the block device/,
  },
  {
    name: 'the data on the realtime device was not compared',
    fs: ['xfs'],
    expected: { devices: ['TEST_RTDEV', 'SCRATCH_RTDEV'] },
    record: everywhere(ON_REALTIME),
    verdict: 'error',
    reason: /the data of a new file on the realtime device was not compared/,
    proven: true,
  },
  {
    name: 'CXL memory was asked for, and the device is an NVDIMM',
    expected: { pmem: 'cxl' },
    record: everywhere({ path: 'nd_pmem:pfn0.0 nd_region:region0 nd_bus:ndbus0 nfit:ACPI0012:00' }),
    verdict: 'invalid',
    reason:
      /^before the test: \/dev\/pmem0 is not CXL memory: it is not reached through cxl_acpi, cxl_port, cxl_mem, cxl_nvdimm, cxl_pmem_region$/,
  },
  ...CXL_PATH.split(' ').map(
    (left): Case => ({
      name: `CXL memory without ${left}`,
      expected: { pmem: 'cxl' },
      record: everywhere({ path: CXL_PATH.replace(left, '') }),
      verdict: 'invalid',
      reason: new RegExp(`not reached through ${left.split(':')[0]}$`),
    }),
  ),
  {
    name: 'CXL memory, and the guest did not say how it is reached',
    expected: { pmem: 'cxl' },
    verdict: 'invalid',
    reason: /is not CXL memory/,
  },
  ...wrongLayers(),
  {
    name: 'statx says nothing, where it could',
    record: everywhere({ statxAttributes: undefined, statxMask: undefined }),
    verdict: 'invalid',
    reason: /statx did not report/,
  },
  {
    name: 'statx has the bit, but not in its mask',
    record: everywhere({ statxMask: 0 }),
    verdict: 'invalid',
    reason: /statx did not report/,
  },
  {
    name: 'DAX is lost after the test',
    record: proofs({ statxAttributes: 0 }, 'after'),
    verdict: 'invalid',
    reason: /^after the test: a new file does not use DAX/,
  },
  {
    name: 'DAX is lost at a remount',
    record: (record, fs) =>
      replaced(record, 'test', (event) => [proof(fs, 'remount', { options: 'rw' }), event]),
    verdict: 'invalid',
    reason: /^at a remount within the test: DAX is not among/,
  },
  {
    name: 'DAX is lost at one remount of many',
    record: (record, fs) =>
      replaced(record, 'test', (event) => [
        proof(fs, 'remount'),
        proof(fs, 'remount', { statxAttributes: 0 }),
        proof(fs, 'remount'),
        event,
      ]),
    verdict: 'invalid',
    reason: /^at a remount within the test/,
  },
  {
    name: 'the remount was none',
    record: (record, fs) =>
      replaced(record, 'test', (event) => [proof(fs, 'remount', { mounted: false }), event]),
    verdict: 'invalid',
    reason: /^at a remount within the test: .* is not mounted/,
  },
  {
    name: 'no DAX on SCRATCH_DEV',
    record: (record, fs) =>
      replaced(record, 'test', (event) => [proof(fs, 'scratch', { options: 'rw' }), event]),
    verdict: 'invalid',
    reason: /^on SCRATCH_DEV: DAX is not/,
  },
  {
    name: 'not mounted before',
    record: proofs({ mounted: false }, 'before'),
    verdict: 'invalid',
    reason: /not mounted/,
  },
  {
    name: 'not mounted after',
    record: proofs({ mounted: false }, 'after'),
    verdict: 'invalid',
    reason: /not mounted/,
    proven: true,
  },
  {
    name: 'a wrong DAX state is not hidden by a failure of the test',
    record: (record) => test({ status: 1, failures: 'x' })(everywhere({ options: 'rw' })(record)),
    verdict: 'invalid',
    reason: /not among the mount options/,
  },
  {
    name: 'SCRATCH_DEV was mounted for a session, and not checked',
    record: (record, fs) =>
      replaced(record, 'test', (event) => [proof(fs, 'scratch'), SESSION, event]),
    expected: { session: 'file-system' },
    verdict: 'error',
    reason: /SCRATCH_DEV was not checked/,
    proven: true,
  },
  {
    name: 'SCRATCH_DEV was used and not checked',
    record: (record, fs) => replaced(record, 'test', (event) => [proof(fs, 'scratch'), event]),
    verdict: 'error',
    reason: /SCRATCH_DEV was not checked/,
    proven: true,
  },
  {
    name: 'no check',
    record: without('fsck'),
    verdict: 'error',
    reason: /TEST_DEV was not checked/,
    proven: true,
  },
  {
    name: 'a check without a log',
    record: (record) => ({ ...record, checks: {} }),
    verdict: 'error',
    reason: /left no log/,
    proven: true,
  },
  {
    name: 'a check that did not end',
    record: check({ clean: false, completed: false, reason: 'pass 3 is missing' }),
    verdict: 'error',
    reason: /did not finish: pass 3 is missing/,
    proven: true,
  },
  {
    name: 'a check that was killed, with a log that looks whole',
    record: check({}, 137),
    verdict: 'error',
    reason: /exited with code 137/,
    proven: true,
  },
  {
    name: 'a check that says what nobody knows',
    record: check({ clean: false, unparsed: ['Frobnicated inode 3'] }),
    verdict: 'error',
    reason: /printed an unknown line: "Frobnicated inode 3"/,
    proven: true,
  },
  {
    name: 'a check that is content, with an exit code that is not',
    record: check({}, 4),
    verdict: 'error',
    reason: /exited with code 4/,
    proven: true,
  },
  {
    name: 'the guest gave up before the test',
    record: (record) => {
      const message = 'sync calls cannot be seen: the guest has no module daxrepro_witness';
      const events: GuestEvent[] = [
        ...without('test')(record).events,
        { event: 'gave-up', step: 'sync-calls', message, kernelLog: '' },
      ];
      return { ...record, events };
    },
    verdict: 'error',
    reason: /^sync-calls: sync calls cannot be seen: the guest has no module/,
    proven: true,
  },
  {
    name: 'no test ran',
    record: without('test'),
    verdict: 'error',
    reason: /without running the test/,
    proven: true,
  },
  {
    name: 'two tests ran',
    record: plus(testEvent({ status: 1 })),
    verdict: 'error',
    reason: /more than one test/,
    proven: true,
  },
  {
    name: 'no proof at all',
    record: without('proof'),
    verdict: 'error',
    reason: /without mounting anything/,
    proven: false,
  },
  {
    name: 'no proof before',
    record: (record) =>
      replaced(record, 'proof', (event) =>
        event.event === 'proof' && event.when === 'before' ? [] : [event],
      ),
    verdict: 'error',
    reason: /without mounting anything/,
  },
  {
    name: 'no proof after',
    record: (record) =>
      replaced(record, 'proof', (event) =>
        event.event === 'proof' && event.when === 'after' ? [] : [event],
      ),
    verdict: 'error',
    reason: /no proof of DAX after the test/,
    proven: true,
  },
  {
    name: 'it gave up after the test',
    record: plus({ event: 'gave-up', step: 'unmount', message: 'target is busy\n', kernelLog: '' }),
    verdict: 'error',
    reason: /^unmount: target is busy/,
    proven: true,
  },
];

const BUG = finding({ kind: 'oops', severity: 'corruption', message: 'BUG: unable to handle' });
const CORRUPT = finding({
  tool: 'e2fsck',
  severity: 'corruption',
  message: 'Directory inode 2, block #0, offset 0: directory corrupted',
  device: '/dev/pmem0',
  pass: 2,
});

const FAILURES: Case[] = [
  {
    name: 'the test says so',
    record: test({ status: 1, failures: 'links: 3 and not 2\nmore\n' }),
    verdict: 'fail',
    reason: /^links: 3 and not 2 \(and 1 more\)$/,
  },
  {
    name: 'it ends with 0 and has noted a failure',
    record: test({ status: 0, failures: 'x' }),
    verdict: 'fail',
    reason: /^x$/,
  },
  {
    name: 'it does not end',
    record: test({ status: 124, timedOut: true }),
    verdict: 'fail',
    reason: /timed out/,
  },
  {
    name: 'only the check finds something',
    record: check({ clean: false, findings: [CORRUPT] }, 4),
    verdict: 'fail',
    reason: /^e2fsck: Directory inode 2/,
  },
  {
    name: 'the check aborts over it',
    record: check({ clean: false, completed: false, reason: 'aborted', findings: [CORRUPT] }, 12),
    verdict: 'fail',
    reason: /^e2fsck: Directory inode 2/,
  },
  {
    name: 'the check finds something, whatever its exit code',
    record: check({ clean: false, findings: [CORRUPT] }, 0),
    verdict: 'fail',
    reason: /^e2fsck/,
  },
  {
    name: 'on SCRATCH_DEV',
    record: (record) => ({
      ...plus({ ...FSCK, name: 'scratch' })(record),
      checks: { test: report(), scratch: report({ clean: false, findings: [CORRUPT] }) },
    }),
    verdict: 'fail',
    reason: /^e2fsck/,
  },
  {
    name: 'a warning of the kernel',
    record: (record) => ({ ...record, kernelFindings: [finding()] }),
    verdict: 'fail',
    reason: /^kernel: WARNING/,
  },
  {
    name: 'an oops that the test outlived',
    record: (record) => ({ ...record, kernelFindings: [BUG] }),
    verdict: 'fail',
    reason: /^kernel: BUG/,
  },
  {
    name: 'a test that does not apply, and a kernel that warns',
    record: (record) => ({
      ...test({ status: 77, notrun: 'no' })(record),
      kernelFindings: [finding()],
    }),
    verdict: 'fail',
    reason: /^kernel: WARNING/,
  },
  {
    name: 'a panic in the test',
    record: cutAt('test', { kind: 'panic', message: 'Fatal exception' }),
    verdict: 'fail',
    reason: /panicked: Fatal exception/,
  },
  {
    name: 'a hang in the test',
    record: cutAt('test', { kind: 'hang', seconds: 60, step: 'test' }),
    verdict: 'fail',
    reason: /did not respond for 60 s in step test/,
  },
  {
    name: 'it switches itself off',
    record: cutAt('test', { kind: 'guest-shutdown', step: 'test' }),
    verdict: 'fail',
    reason: /shut down in step/,
  },
  {
    name: 'a panic after the check',
    record: ended({ kind: 'panic', message: 'late' }),
    verdict: 'fail',
    reason: /panicked: late/,
  },
  {
    name: 'stuck: the kernel says that a task hangs',
    record: (record) => ({
      ...cutAt('test', { kind: 'unit-timeout', seconds: 240, step: 'unmount' })(record),
      kernelFindings: [finding({ kind: 'hung-task', message: 'INFO: task umount blocked' })],
    }),
    verdict: 'fail',
    reason: /umount blocked/,
  },
];

const OTHERS: Case[] = [
  {
    name: 'the test fails, and nothing can be stored in a file, which may be what fails',
    record: (record) =>
      test({ status: 1, failures: 'cannot write' })(
        everywhere({ data: dataLooks(undefined, undefined) })(record),
      ),
    verdict: 'fail',
    reason: /^cannot write$/,
  },
  {
    name: 'the test does not apply, and nothing was compared',
    record: (record) =>
      test({ status: 77, notrun: 'no reflink' })(everywhere({ data: [] })(record)),
    verdict: 'notrun',
    reason: /^no reflink$/,
    proven: true,
  },
  {
    name: 'the test does not apply',
    record: test({ status: 77, notrun: 'no reflink on ext2\n' }),
    verdict: 'notrun',
    reason: /^no reflink on ext2$/,
    proven: true,
  },
  {
    name: 'the guest has no such test',
    record: test({ status: 127, reason: 'the guest has no test x' }),
    verdict: 'error',
    reason: /has no test x/,
    proven: true,
  },
  {
    name: 'the test itself is broken, and that comes before what it is said to have found',
    record: (record) =>
      check({ clean: false, unparsed: ['?'] })(
        test({ status: 99, failures: '', lastOutput: 'x: unbound variable\n' })(record),
      ),
    verdict: 'error',
    reason: /broke with exit code 99: x: unbound variable/,
    proven: true,
  },
  {
    name: 'the test dies of a signal',
    record: test({ status: 139 }),
    verdict: 'error',
    reason: /exit code 139/,
    proven: true,
  },
  {
    name: 'the guest has no memory left',
    record: (record) => ({
      ...record,
      kernelFindings: [
        finding({ kind: 'out-of-memory', message: 'Out of memory: Killed process' }),
      ],
    }),
    verdict: 'error',
    reason: /out of memory/,
    proven: true,
  },
  {
    name: 'the guest is slow, and nothing says why',
    record: cutAt('test', { kind: 'unit-timeout', seconds: 240, step: 'test' }),
    verdict: 'error',
    reason: /did not finish within 240 s/,
    proven: true,
  },
  ...(
    [
      [{ kind: 'qemu-died', exitCode: null, signal: 'SIGKILL', message: '' }, /killed by SIGKILL/],
      [
        { kind: 'qemu-died', exitCode: 1, signal: null, message: 'a\nno memory' },
        /with code 1: no memory/,
      ],
      [{ kind: 'protocol-violation', problem: 'a line that is no JSON' }, /sent a line that is no/],
      [{ kind: 'storage', message: 'ENOSPC' }, /could not be written: ENOSPC/],
      [{ kind: 'interrupted' }, /interrupted/],
    ] as const
  ).map(
    ([ending, reason]): Case => ({
      name: `ended by ${ending.kind} in the test`,
      record: cutAt('test', ending),
      verdict: 'error',
      reason,
      proven: true,
    }),
  ),
  ...(
    [
      { kind: 'boot-timeout', seconds: 120 },
      { kind: 'panic', message: 'no root' },
      { kind: 'hang', seconds: 60, step: 'boot' },
      { kind: 'guest-shutdown', step: 'boot' },
      { kind: 'interrupted' },
    ] as const
  ).map(
    (ending): Case => ({
      name: `ended by ${ending.kind} before anything was mounted`,
      record: (record) => ({ ...record, ending, events: [], checks: {}, ready: undefined }),
      verdict: 'error',
      reason: /before DAX was proven/,
      proven: false,
    }),
  ),
  {
    name: 'it gives up before the mount',
    record: (record) => ({
      ...record,
      events: [
        {
          event: 'gave-up',
          step: 'load-module',
          message: 'insmod: Invalid module format',
          kernelLog: '',
        },
      ],
      checks: {},
    }),
    verdict: 'error',
    reason: /^load-module: insmod: Invalid module format/,
    proven: false,
  },
];

const PASSES: Case[] = [
  { name: 'all is well', verdict: 'pass', reason: /no problems were found/ },
  {
    name: 'one page of a new file was compared, and there was no room for the other',
    record: everywhere({ data: dataLooks(4096, undefined) }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'without room for a new file, an existing one was compared',
    record: proofs(
      { data: [...dataLooks(undefined, undefined), { ...EXISTING, same: 4096 }] },
      'after',
    ),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'a stack on a partition',
    expected: { stack: 'linear', partition: true, pmem: 'memmap' },
    record: everywhere({ layers: ON_PARTITION }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'stripes on two partitions',
    expected: { stack: 'stripe', pmem: 'memmap' },
    record: everywhere({
      layers: [{ ...onDisk(STRIPED), below: 'pmem0p1@4096 pmem0p2@266240' }, ...LAYERS.partition],
    }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'a log of writes, on another device',
    expected: { stack: 'log-writes', pmem: 'memmap' },
    record: everywhere({
      layers: [onDisk('0 8192 log-writes 259:0 259:3'), ...LAYERS.linear.slice(1)],
    }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'CXL memory',
    expected: { pmem: 'cxl' },
    record: everywhere({ path: CXL_PATH }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'data on the realtime device too',
    fs: ['xfs'],
    expected: { devices: ['TEST_RTDEV', 'SCRATCH_RTDEV'] },
    record: everywhere({ ...ON_REALTIME, realtimeData: dataLooks(4096, 4096) }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'what the kernel said at boot is not held against the unit',
    record: (record) => ({ ...record, bootFindings: [finding(), BUG] }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'notices',
    record: (record) => ({
      ...check({ findings: [finding({ severity: 'notice' })] })(record),
      kernelFindings: [finding({ severity: 'notice', kind: 'user-crash' })],
    }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'an old kernel whose statx knows no DAX',
    expected: { release: '5.7.19' },
    record: (record) => ({
      ...everywhere({ options: 'rw,dax', statxAttributes: 0, statxMask: 0 })(record),
      ready: record.ready && { ...record.ready, release: '5.7.19' },
    }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'a very old one without statx',
    expected: { release: '4.5.0-rc4', module: undefined },
    record: (record) => ({
      ...everywhere({
        options: 'rw,dax',
        statxAttributes: undefined,
        statxMask: undefined,
        moduleReferences: undefined,
        moduleReferencesUnmounted: undefined,
        moduleBuildId: '',
      })(record),
      ready: record.ready && { ...record.ready, release: '4.5.0-rc4' },
    }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
  {
    name: 'SCRATCH_DEV, which tests had that somebody called in a session',
    record: (record, fs) =>
      replaced(record, 'test', (event) => [SESSION, proof(fs, 'scratch'), event]),
    expected: { session: 'file-system' },
    verdict: 'pass',
    reason: /^the session ended and no problems were found$/,
  },
  {
    name: 'remounts and SCRATCH_DEV, all proven and checked',
    record: (record, fs) => ({
      ...plus({ ...FSCK, name: 'scratch' })(
        replaced(record, 'test', (event) => [proof(fs, 'remount'), proof(fs, 'scratch'), event]),
      ),
      checks: { test: report(), scratch: report() },
    }),
    verdict: 'pass',
    reason: /no problems were found/,
  },
];

for (const [title, cases] of Object.entries({ FALSE_PASSES, FAILURES, OTHERS, PASSES })) {
  t.test(title, (t) => {
    for (const one of cases) {
      for (const fs of one.fs ?? ALL) {
        const record = one.record?.(goodRecord(fs), fs) ?? goodRecord(fs);
        const judgement = judge(record, expectation(fs, one.expected));
        const name = `${fs}: ${one.name}`;
        t.equal(judgement.verdict, one.verdict, name);
        t.match(judgement.reason, one.reason, name);
        const proven = one.proven ?? (one.verdict === 'pass' || one.verdict === 'fail');
        t.equal(judgement.dax.proven, proven, `${name}: proven`);
      }
    }
    t.end();
  });
}

t.test('judges the control run without DAX', (t) => {
  for (const fs of ALL) {
    const plain = everywhere({ options: 'rw,relatime', statxAttributes: 0, blockSize: 1024 });
    const control = expectation(fs, { control: true });
    const judgement = judge(plain(goodRecord(fs)), control);
    t.equal(judgement.verdict, 'pass');
    t.equal(judgement.dax.proven, false, 'it proves no DAX');
    t.match(judge(goodRecord(fs), control), { verdict: 'invalid', reason: /DAX is in use/ });
    const byOption = everywhere({ options: 'rw,dax', statxAttributes: 0 })(goodRecord(fs));
    t.match(judge(byOption, control), { verdict: 'invalid' });
    const byStatx = everywhere({ options: 'rw' })(goodRecord(fs));
    t.match(judge(byStatx, control), { verdict: 'invalid' });
    t.match(judge(everywhere({ servedByExt4: fs !== 'ext4' })(plain(goodRecord(fs))), control), {
      verdict: 'invalid',
    });
  }
  t.end();
});

t.test('names corruption before its consequences', (t) => {
  const spoiled = check({ clean: false, findings: [CORRUPT] }, 4)(goodRecord('ext2'));
  const record = { ...spoiled, kernelFindings: [finding()] };
  const judgement = judge(
    { ...record, checks: { test: report({ findings: [finding({ tool: 'e2fsck' }), CORRUPT] }) } },
    expectation('ext2'),
  );
  t.match(judgement.reason, /^e2fsck: Directory inode 2.* \(and 2 more findings\)$/);
  t.equal(judgement.findings.length, 3);
  t.end();
});

/** e2fsck -fn of 1.47.0 and 1.47.4 for wrong free counts in the superblock: it exits with 0. */
const FREE_COUNTS = `e2fsck 1.47.0 (5-Feb-2023)
Pass 1: Checking inodes, blocks, and sizes
Pass 2: Checking directory structure
Pass 3: Checking directory connectivity
Pass 4: Checking reference counts
Pass 5: Checking group summary information
Free blocks count wrong (1234, counted=1910).
Fix? no

Free inodes count wrong (99, counted=2037).
Fix? no

/dev/pmem0: 1949/2048 files (0.0% non-contiguous), 814/2048 blocks
`;

t.test('goes by findings, not by the exit code of e2fsck', (t) => {
  const report = parseFsck(FREE_COUNTS, { device: '/dev/pmem0' });
  t.match(report, { completed: true, clean: false, findings: [{}, {}] });
  for (const fs of ['ext2', 'ext4'] as const) {
    const own = { ...goodRecord(fs), checks: report ? { test: report } : {} };
    t.match(judge(own, expectation(fs)), {
      verdict: 'fail',
      reason: /^e2fsck: Free blocks count wrong \(1234, counted=1910\)\. \(and 1 more finding\)$/,
    });
    for (const phase of ['setup', 'check'] as const) {
      // check goes by the exit code, and counts the test as passed.
      const suite = {
        ...goodXfstests(fs),
        suiteChecks: [{ event: suiteCheck({ phase, status: 0 }), report }],
      };
      t.match(judge(suite, expectation(fs, { xfstests: { test: ID } })), {
        verdict: 'fail',
        outcome: 'inconsistent',
        reason: /^e2fsck: Free blocks count wrong/,
      });
    }
  }
  t.end();
});
