import fc from 'fast-check';
import type { Finding } from '../../cli/findings/finding.js';
import type { FsckReport } from '../../cli/findings/fsck-report.js';
import type {
  CheckEvent,
  DataLook,
  GuestEvent,
  Layer,
  MountEvent,
  ProofEvent,
} from '../../cli/guest/protocol.js';
import type { PowerCutRecord } from '../../cli/record/power-cut.js';
import type { Expectation, UnitRecord } from '../../cli/record/record.js';
import {
  BUILD_ID,
  dataLooks,
  expectation,
  FSCK,
  type Fs,
  finding,
  goodRecord,
  LAYERS,
  proof,
  RELEASE,
  report,
  SHA256,
  STATX_ATTR_DAX,
  testEvent,
} from './records.js';
import { check, FAILED, ID, mount, PASSED, said } from './xfstests-records.js';

/** Records that are sound except for some fields: a shape, and its spoiled fields. */

export interface Shape {
  fs: Fs;
  suite: 'builtin' | 'session' | 'xfstests' | 'together';
  release: string;
  control: boolean;
  builtIn: boolean;
  sent: boolean;
  buildId: boolean;
  options: number;
  scratch: boolean;
  remount: boolean;
  /** What lies between device and file system. */
  between: undefined | keyof typeof LAYERS;
  /** Whether the file system is mounted with a realtime device. */
  realtime: boolean;
  bootFindings: boolean;
  /** For power cuts: how the device is written, and whether calls were seen. */
  powerCut: undefined | { by: 'writeBacks' | 'fences' | 'requests'; calls: boolean };
}

/** A field without its usual value, and the other value. */
export interface Spoil {
  field: string;
  value: number;
}

export interface Sample {
  fs: Fs;
  record: UnitRecord;
  expected: Expectation;
}

export const SHAPE: fc.Arbitrary<Shape> = fc.record({
  fs: fc.constantFrom<Fs>('ext2', 'ext4', 'xfs'),
  suite: fc.constantFrom<Shape['suite']>('builtin', 'session', 'xfstests', 'together'),
  release: fc.constantFrom(RELEASE, RELEASE, '5.7.1', '4.5.0-rc4', '5.8.0', '6.12.1'),
  control: fc.constantFrom(false, false, false, true),
  builtIn: fc.constantFrom(false, false, true),
  sent: fc.boolean(),
  buildId: fc.constantFrom(true, true, false),
  options: fc.nat(2),
  scratch: fc.boolean(),
  remount: fc.boolean(),
  between: fc.constantFrom(undefined, undefined, 'linear', 'partition'),
  realtime: fc.constantFrom(false, false, true),
  bootFindings: fc.boolean(),
  powerCut: fc.option(
    fc.record({
      by: fc.constantFrom<'writeBacks' | 'fences' | 'requests'>('writeBacks', 'fences', 'requests'),
      calls: fc.boolean(),
    }),
    { nil: undefined },
  ),
});

/** @param field where to spoil it; its usual value comes first */
type Pick = <Value>(field: string, ...values: Value[]) => Value;

/** The fields of a shape, each with its number of unusual values. */
export function fieldsOf(shape: Shape): Map<string, number> {
  const fields = new Map<string, number>();
  build(shape, (field, usual, ...others) => {
    fields.set(field, others.length);
    return usual;
  });
  return fields;
}

export function sample(shape: Shape, spoils: readonly Spoil[]): Sample {
  const spoiled = new Map(spoils.map(({ field, value }) => [field, value]));
  return build(shape, (field, usual, ...others) => {
    const value = spoiled.get(field);
    return value === undefined ? usual : (others[value % others.length] as typeof usual);
  });
}

const READY_AS = goodRecord('ext2').ready as NonNullable<UnitRecord['ready']>;

function build(shape: Shape, pick: Pick): Sample {
  const { fs, suite, release, builtIn, sent, control } = shape;
  const expected = expectation(fs, {
    release,
    control,
    module: builtIn ? undefined : { sha256: SHA256, buildId: shape.buildId ? BUILD_ID : '', sent },
    pmem: 'memmap',
    ...(shape.between === 'linear' ? { stack: 'linear' } : {}),
    ...(shape.between === 'partition' ? { partition: true } : {}),
    ...(shape.powerCut ? { powerCut: true } : {}),
    ...(suite === 'session' ? { session: 'file-system' as const } : {}),
    ...(isXfstests(shape) ? { xfstests: { test: ID, groups: ['auto', 'quick'] } } : {}),
  });
  const { events, suiteChecks } = isXfstests(shape)
    ? xfstestsEvents(shape, pick)
    : { events: builtinEvents(shape, pick), suiteChecks: undefined };
  const checks = { test: logOf('log.test', '/dev/pmem0', pick) };
  const scratchLog =
    shape.scratch && !isXfstests(shape) && logOf('log.scratch', '/dev/pmem1', pick);
  return {
    fs,
    expected,
    record: {
      ending: pick<UnitRecord['ending']>('ending', { kind: 'finished' }, ...ENDINGS),
      ready: pick<UnitRecord['ready']>('ready', { ...READY_AS, release }, undefined, {
        ...READY_AS,
        release: '6.1.0-57-amd64',
      }),
      events: [...moduleEvents(shape, pick), ...events],
      bootFindings: shape.bootFindings ? [finding()] : [],
      kernelFindings: pick<Finding[]>(
        'kernelFindings',
        [],
        [finding()],
        [finding({ severity: 'corruption', kind: 'oops' })],
        [finding({ severity: 'notice' })],
        [finding({ severity: 'corruption', kind: 'machine-check' })],
      ),
      checks: {
        ...(checks.test ? { test: checks.test } : {}),
        ...(scratchLog ? { scratch: scratchLog } : {}),
      },
      ...(suiteChecks ? { suiteChecks } : {}),
      ...(shape.powerCut ? { powerCut: powerCutOf(shape.powerCut, pick) } : {}),
    },
  };
}

export function isXfstests({ suite }: Shape): boolean {
  return suite === 'xfstests' || suite === 'together';
}

const ENDINGS: UnitRecord['ending'][] = [
  { kind: 'panic', message: 'x' },
  { kind: 'hang', seconds: 1, step: 'x' },
  { kind: 'unit-timeout', seconds: 1, step: 'x' },
  { kind: 'guest-shutdown', step: 'x' },
  { kind: 'qemu-died', exitCode: 0, signal: 'SIGTERM', message: '' },
  { kind: 'protocol-violation', problem: 'x' },
  { kind: 'storage', message: 'x' },
  { kind: 'interrupted' },
  { kind: 'boot-timeout', seconds: 1 },
];

const times = <Value>(field: string, one: Value, pick: Pick): Value[] =>
  pick(field, [one], [], [one, one]);

function moduleEvents({ fs, builtIn, sent }: Shape, pick: Pick): GuestEvent[] {
  const module: GuestEvent = {
    event: 'module',
    name: fs,
    sha256: pick('module.sha256', sent ? SHA256 : '', '', 'other'),
    origin: sent ? 'sent' : 'kernel',
  };
  return [
    ...pick<GuestEvent[]>('begin', [], [{ event: 'begin', release: '5.10.0-1-amd64', bootId: '' }]),
    ...(builtIn ? [] : times('module', module, pick)),
    ...pick<GuestEvent[]>(
      'mount-failed',
      [],
      [{ event: 'mount-failed', message: 'no', kernelLog: '' }],
    ),
  ];
}

function look(shape: Shape, when: ProofEvent['when'], pick: Pick): GuestEvent {
  const { fs, builtIn, control } = shape;
  const silent = /^[45]\.[0-7]\b/.test(shape.release);
  const options = control
    ? 'rw,relatime'
    : `${['rw,dax', 'rw,dax=always', 'dax,rw'][shape.options]}${shape.realtime ? ',rtdev=/dev/pmem2' : ''}`;
  const attributes = control ? 0 : STATX_ATTR_DAX;
  const field = <Value>(name: string, ...values: Value[]) => pick(`${when}.${name}`, ...values);
  return proof(fs, when, {
    mounted: field('mounted', true, false),
    type: field<string>('type', fs, 'ext2', 'ext4', 'xfs', 'tmpfs', ''),
    options: field(
      'options',
      options,
      ...['rw', 'rw,dax=never', 'rw,dax=inode', 'nodax', 'rw,dax=always', ''],
    ),
    servedByExt4: field('servedByExt4', fs === 'ext4', fs !== 'ext4'),
    servedByXfs: field('servedByXfs', fs === 'xfs', fs !== 'xfs'),
    moduleReferences: field<number | undefined>(
      'references',
      builtIn ? undefined : 3,
      ...[2, 1, undefined],
    ),
    moduleReferencesUnmounted: field<number | undefined>(
      'referencesUnmounted',
      builtIn ? undefined : 2,
      ...[3, 0, undefined],
    ),
    moduleBuildId: field('buildId', builtIn ? '' : BUILD_ID, '', 'ffff'),
    statxAttributes: field<number | undefined>(
      'statxAttributes',
      silent ? undefined : attributes,
      ...[0, undefined, STATX_ATTR_DAX],
    ),
    statxMask: field('statxMask', silent ? 0 : STATX_ATTR_DAX, 0, STATX_ATTR_DAX),
    data: field<DataLook[] | undefined>(
      'data',
      control ? [] : dataLooks(4096, 4096),
      ...[dataLooks(0, 0), dataLooks(4096, 12), dataLooks(undefined, undefined), [], undefined],
      dataLooks(4096, undefined),
    ),
    ...(shape.between
      ? { layers: field<Layer[] | undefined>('layers', ...layersWith(shape.between)) }
      : {}),
    ...(shape.realtime
      ? {
          realtimeAttributes: silent ? undefined : attributes,
          realtimeData: field<DataLook[] | undefined>(
            'realtimeData',
            control ? [] : dataLooks(4096),
            ...[dataLooks(0), [], undefined],
          ),
        }
      : {}),
    blockSize: field<number | undefined>('blockSize', 4096, 1024, undefined),
    pageSize: field<number | undefined>('pageSize', 4096, 16384, undefined),
  });
}

/** The right layers, then wrong ones. */
function layersWith(between: keyof typeof LAYERS): [Layer[], ...(Layer[] | undefined)[]] {
  const right = LAYERS[between];
  const disk = right.slice(1);
  const other = LAYERS[between === 'linear' ? 'partition' : 'linear'];
  return [right, undefined, [], disk, other, right.slice(0, 1), [...other.slice(0, 1), ...right]];
}

const GAVE_UP: GuestEvent = { event: 'gave-up', step: 'x', message: 'y', kernelLog: '' };

function builtinEvents(shape: Shape, pick: Pick): GuestEvent[] {
  const { scratch, suite } = shape;
  const test = testEvent({
    status: pick('test.status', 0, 1, 77, 99, 127, 139),
    timedOut: pick('test.timedOut', false, true),
    failures: pick('test.failures', '', 'links are wrong\n'),
  });
  // What a session mounts on SCRATCH_DEV does not matter.
  const session: GuestEvent[] = suite === 'session' ? [{ event: 'step', name: 'session' }] : [];
  const ownScratch = scratch && pick('session.scratch', false, true) && suite === 'session';
  return [
    ...times('before', look(shape, 'before', pick), pick),
    ...(scratch && !ownScratch ? [look(shape, 'scratch', pick)] : []),
    ...session,
    ...(ownScratch ? [look(shape, 'scratch', pick)] : []),
    ...(shape.remount ? [look(shape, 'remount', pick)] : []),
    ...times('test', test, pick),
    ...times('after', look(shape, 'after', pick), pick),
    ...pick<GuestEvent[]>('gave-up', [], [GAVE_UP]),
    ...times('fsck', { ...FSCK, status: pick('fsck.status', 0, 1, 4, 8, 137) }, pick),
    ...(scratch
      ? times(
          'fsck.scratch',
          { ...FSCK, name: 'scratch' as const, status: pick('fsck.scratch.status', 0, 4) },
          pick,
        )
      : []),
  ];
}

const MESSAGE = 'Free blocks count wrong (1, counted=2).';

function logOf(name: string, device: string, pick: Pick): FsckReport | undefined {
  const findings = pick<Finding[]>(
    `${name}.findings`,
    [],
    [finding({ tool: 'e2fsck', severity: 'corruption', device, message: MESSAGE })],
    [finding({ tool: 'e2fsck', severity: 'repairable', device, message: MESSAGE })],
    [finding({ tool: 'e2fsck', severity: 'notice', device, message: MESSAGE })],
  );
  const unparsed = pick<string[]>(`${name}.unparsed`, [], ['?']);
  const completed = pick(`${name}.completed`, true, false);
  const serious = findings.some(({ severity }) => severity !== 'notice');
  const clean = completed && unparsed.length === 0 && !serious;
  return pick<FsckReport | undefined>(
    name,
    report({ findings, unparsed, completed, clean }),
    undefined,
  );
}

type SuiteChecks = NonNullable<UnitRecord['suiteChecks']>;

function suiteCheck(name: string, event: Partial<CheckEvent>, pick: Pick): SuiteChecks[number] {
  const device = event.device ?? '/dev/pmem0';
  return {
    event: check({
      ...event,
      device,
      status: pick(`${name}.status`, 0, 1, 4, 8, 137),
      readOnly: pick(`${name}.readOnly`, true, false),
    }),
    report: logOf(`${name}.log`, device, pick),
  };
}

function xfstestsEvents(
  shape: Shape,
  pick: Pick,
): { events: GuestEvent[]; suiteChecks: SuiteChecks } {
  const { scratch } = shape;
  const testDevice = { device: '/dev/pmem0', node: 'pmem0', directory: '/mnt/test' };
  const setup = suiteCheck('setup', { phase: 'setup' }, pick);
  const within = suiteCheck('within', { phase: 'test', device: '/dev/pmem1' }, pick);
  const end = suiteCheck('end', { phase: 'check' }, pick);
  const scratchEnd = suiteCheck('end.scratch', { phase: 'check', device: '/dev/pmem1' }, pick);
  const suiteChecks = [
    ...times('setup', setup, pick),
    ...(scratch ? times('within', within, pick) : []),
    ...times('end', end, pick),
    ...(scratch ? times('end.scratch', scratchEnd, pick) : []),
  ];
  const events: GuestEvent[] = [
    ...times('before', look(shape, 'before', pick), pick),
    mountOf('mount.setup', { ...testDevice, phase: 'setup' }, shape, pick),
    ...(scratch ? times('scratch', look(shape, 'scratch', pick), pick) : []),
    ...(scratch ? [mountOf('mount.test', { phase: 'test' }, shape, pick)] : []),
    mountOf('mount.check', { ...testDevice, phase: 'check' }, shape, pick),
    ...suiteChecks.map(({ event }) => event),
    ...pick('xfstests', [saidOf(shape, pick)], []),
    ...times('after', look(shape, 'after', pick), pick),
    ...pick<GuestEvent[]>('gave-up', [], [GAVE_UP]),
    ...(shape.suite === 'together'
      ? pick<GuestEvent[]>('fsck.together', [], [{ ...FSCK, status: 0 }])
      : times('fsck', { ...FSCK, status: pick('fsck.status', 0, 1, 4, 8, 137) }, pick)),
  ];
  return { events, suiteChecks };
}

function mountOf(name: string, more: Partial<MountEvent>, shape: Shape, pick: Pick): MountEvent {
  const { fs, control } = shape;
  const on = control ? 'rw,relatime' : 'rw,relatime,dax=always';
  return mount(fs, {
    misaligned: pick(`${name}.misaligned`, '', 'dm-0: 0 8192 linear 259:0 1'),
    options: pick(`${name}.options`, on, 'rw,relatime', 'rw,dax=never', 'rw,dax'),
    arguments: pick(
      `${name}.arguments`,
      '-o dax /dev/pmem1 /mnt/scratch',
      '-o dax -o dax=never /dev/pmem1 /mnt/scratch',
      '-o dax=never,dax=always /dev/pmem1 /mnt/scratch',
      '/dev/pmem1 /mnt/scratch',
    ),
    servedByExt4: pick(`${name}.servedByExt4`, fs === 'ext4', fs !== 'ext4'),
    servedByXfs: pick(`${name}.servedByXfs`, fs === 'xfs', fs !== 'xfs'),
    ...more,
  });
}

function saidOf({ suite }: Shape, pick: Pick): GuestEvent {
  const together = suite === 'together';
  const passed = together ? `${ID}   4s ...  5s\n` : PASSED;
  return said({
    together,
    status: pick('said.status', 0, 1),
    timedOut: pick('said.timedOut', false, true),
    files: pick('said.files', 'full ', 'full notrun ', 'full out.bad ', 'full core '),
    notrun: 'no',
    output: pick(
      'said.output',
      passed,
      '',
      FAILED,
      `${ID} - unknown test, ignored\n${passed}`,
      `${passed}Interrupted!\n`,
      passed.replaceAll(ID, 'generic/003'),
      `${ID} [failed, exit status 3]\n${passed}`,
      `${passed}_check_generic_filesystem: filesystem on /dev/pmem0 is inconsistent\n`,
      `${passed}_check_dmesg: something found in dmesg (see x)\n`,
      `${passed}Failures: ${ID}\n`,
    ),
    times: pick('said.times', `${ID} 8\n`, '', 'generic/0021 8\n'),
    expectedOutput: pick('said.expectedOutput', true, false),
    watched: pick('said.watched', true, false),
    unseenMounts: pick('said.unseenMounts', 0, 1),
  });
}

function powerCutOf(
  { by, calls }: NonNullable<Shape['powerCut']>,
  pick: Pick,
): PowerCutRecord | undefined {
  const none = { writeBacks: 0, fences: 0, requests: 0 };
  const counters = { ...none, [by]: 7, stores: pick('cut.stores', 100, 0) };
  const seen = {
    ...{ seen: 9, unpromised: pick('cut.unpromised', 0, 2, 9), changed: pick('cut.changed', 0, 3) },
    beyond: pick('cut.beyond', 0, 1),
  };
  return pick<PowerCutRecord | undefined>(
    'cut',
    {
      problem: pick<string | undefined>('cut.problem', undefined, 'the disk is full'),
      counters: pick<PowerCutRecord['counters']>(
        'cut.counters',
        counters,
        ...[undefined, { ...counters, ...none }],
      ),
      promises: pick('cut.promises', 4, 0),
      ...(calls ? { calls: seen } : {}),
      cuts: { promised: 4, moments: 2 },
      images: pick('cut.images', 7, 0),
      repeated: 3,
      // If calls are seen, the medium itself is compared.
      asked: pick('cut.asked', 20, 0),
      guarantees: pick<string | undefined>('cut.guarantees', 'a journal', undefined),
      findings: pick<Finding[]>(
        'cut.findings',
        [],
        [finding({ tool: 'power-cut', severity: 'corruption', message: 'lost' })],
      ),
    },
    undefined,
  );
}
