import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import { ACCELERATOR_CHOICES, type AcceleratorChoice } from '../guest/accelerator.js';
import { PMEM_KINDS } from '../guest/machine.js';
import { type BuildOptions, checkBuildOptions } from '../kernel/kernel.js';
import { parseChoice, parseCount, parseSeconds, parseSize } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import { LARGEST_SIZE, SEEDS, SMALLEST_SIZE } from '../plan/plan.js';
import type { PowerCutPlan, RequestedSuite, RunRequest, Unit } from '../plan/unit.js';
import { builtinSuiteVersion, builtinTests, selectTests } from '../suite/builtin.js';
import { chooseTests } from '../suite/choose.js';
import { type ExclusionOptions, withoutExcluded } from '../suite/exclude.js';
import { type ExpectedFailure, readExpectedFailures } from '../suite/expected.js';
import { findTree, testFacts, treeTests } from '../suite/xfstests/tree.js';
import { readVariant } from '../variant/named.js';
import { BASE, type Variant } from '../variant/variant.js';
import { POWER_CUT_DEFAULTS, RUN_DEFAULTS } from './defaults.js';

/** The options of `run` as the command line gives them. */
export interface RunOptions extends ExclusionOptions {
  kernel: string;
  cc?: string;
  kconfig?: string[];
  patch?: string[];
  /** NAME=FILE[,FILE…], or a NAME of the project's configuration. */
  variant?: string;
  /** Only so many of the patches that the files of --patch hold. */
  steps?: string;
  pmem: string;
  suite: string;
  group?: string[];
  mountOpts?: string;
  mkfsOpts?: string;
  size?: string;
  timeout?: string;
  repeat: string;
  untilFail?: boolean;
  seed?: string;
  jobs?: string;
  cpus: string;
  accel: string;
  /** What images of damaged devices may take: a size, or 0. */
  keepImages?: string;
  /** Runs units that fail again, with write-back traced. */
  explain?: boolean;
  /** A file of expected failures. */
  expected?: string;
  control?: boolean;
  /** Whether the guests' power is cut, how often besides promises, and random images of each cut. */
  powerCut?: boolean;
  cuts?: string;
  cutStates?: string;
  /** Tests of xfstests share guests. */
  together?: boolean;
  /** false with --no-checkpoint. */
  checkpoint?: boolean;
  dryRun?: boolean;
  json?: boolean;
  out?: string;
  /** Those that the environment or the project's configuration has a value for. */
  configured?: string[];
  /** Those of the project's configuration. */
  variants?: Variant[];
}

export interface CheckedRequest {
  request: RunRequest;
  accelerator: AcceleratorChoice;
  /** Guests at a time; undefined: as many as the machine takes. */
  jobs: number | undefined;
  expected: readonly ExpectedFailure[];
  /** Bytes that images of damaged devices may take. */
  imageBytes: number;
}

/** Checks all that can be checked without looking anything up or starting anything. */
export function checkRequest(
  fs: string,
  tests: readonly string[],
  options: RunOptions,
): Outcome<CheckedRequest> {
  return check(fs, options, (fileSystem) => {
    const groups = options.group ?? [];
    return tests.length === 0 && groups.length === 0
      ? failure(
          'usage',
          'No test is named',
          'Name tests, such as generic/002, or a group with -g auto; `daxrepro list` shows them',
        )
      : selectFrom(fileSystem, { ids: tests, groups }, options);
  });
}

/** How a session is called where a test has its name. */
export const SESSION = 'shell';

/** The same of a session: there is no test, but perhaps a tree of tests that the guest shall have. */
export function checkSession(fs: string, options: RunOptions): Outcome<CheckedRequest> {
  return check(fs, options, () => {
    const suite: RequestedSuite = { name: 'builtin', version: builtinSuiteVersion() };
    if (options.suite === 'builtin') return success({ tests: [SESSION], suite });
    const tree = findTree(options.suite);
    if (!tree.ok) return tree;
    const facts = new Map();
    return success({
      tests: [SESSION],
      suite: { name: 'xfstests', version: '', tree: tree.value, facts },
    });
  });
}

type Selection = { tests: string[]; suite: RequestedSuite };

function check(
  fs: string,
  options: RunOptions,
  select: (fs: FileSystem) => Outcome<Selection>,
): Outcome<CheckedRequest> {
  const fileSystem = parseChoice('file system', fs, FILE_SYSTEMS);
  if (!fileSystem.ok) return fileSystem;
  const selected = select(fileSystem.value);
  if (!selected.ok) return selected;
  const { suite } = selected.value;
  // What the project's configuration says holds for those runs that it can hold for.
  const asked = options.together && !options.configured?.includes('together');
  if (asked && suite.name !== 'xfstests') {
    return failure(
      'usage',
      '--together is for tests of xfstests; those of the built-in suite are quick to begin',
      'Leave it out, or name a tree with --suite',
    );
  }
  const pmem = parseChoice('--pmem', options.pmem, PMEM_KINDS);
  if (!pmem.ok) return pmem;
  const accelerator = parseChoice('--accel', options.accel, ACCELERATOR_CHOICES);
  if (!accelerator.ok) return accelerator;
  const timeout = parseSeconds(options.timeout ?? TIMEOUTS[suite.name]);
  if (!timeout.ok) return timeout;
  const repeat = parseCount('--repeat', attempts(options), 1, 100_000);
  if (!repeat.ok) return repeat;
  const seed =
    options.seed === undefined
      ? success(randomInt(SEEDS))
      : parseCount('--seed', options.seed, 0, SEEDS - 1);
  if (!seed.ok) return seed;
  const cpus = parseCount('--cpus', options.cpus, 1, 64);
  if (!cpus.ok) return cpus;
  const jobs =
    options.jobs === undefined ? success(undefined) : parseCount('--jobs', options.jobs, 1, 512);
  if (!jobs.ok) return jobs;
  const build = buildOptionsOf(options);
  const fitting = checkBuildOptions(options.kernel, build ?? {});
  if (!fitting.ok) return fitting;
  const variant = variantOf(options);
  if (!variant.ok) return variant;
  const expected: Outcome<ExpectedFailure[]> =
    options.expected === undefined ? success([]) : readExpectedFailures(options.expected);
  if (!expected.ok) return expected;
  const imageBytes = parseImageBytes(options.keepImages);
  if (!imageBytes.ok) return imageBytes;
  const size = checkSize(options.size, fileSystem.value);
  if (!size.ok) return size;
  const powerCut = powerCutOf(options);
  if (!powerCut.ok) return powerCut;
  for (const [name, value] of [
    ['--mkfs-opts', options.mkfsOpts],
    ['--mount-opts', options.mountOpts],
  ] as const) {
    if (value !== undefined && /[\x00-\x1f]/.test(value)) {
      return failure('usage', `${name} holds a control character`, 'Give it on one line');
    }
  }
  return success({
    // What a guest stores can be watched under emulation alone.
    accelerator: powerCut.value ? 'tcg' : accelerator.value,
    jobs: jobs.value,
    expected: expected.value,
    imageBytes: imageBytes.value,
    request: {
      fs: fileSystem.value,
      tests: selected.value.tests,
      suite,
      kernel: options.kernel,
      ...(build ? { build } : {}),
      variant: variant.value,
      pmem: pmem.value,
      size: size.value,
      mkfsOptions: options.mkfsOpts,
      mountOptions: options.mountOpts,
      timeout: timeout.value,
      repeat: repeat.value,
      untilFail: options.untilFail === true,
      seed: seed.value,
      cpus: cpus.value,
      control: options.control === true,
      ...(powerCut.value ? { powerCut: powerCut.value } : {}),
      ...(options.configured ? { configured: options.configured } : {}),
    },
  });
}

/** Looking for a failure without a number of attempts has to end somewhere. */
function attempts({ repeat, untilFail }: RunOptions): string {
  return untilFail && repeat === RUN_DEFAULTS.repeat ? '1000' : repeat;
}

/** Seconds for a test where nobody says: those of xfstests are made for real machines. */
const TIMEOUTS: Record<RequestedSuite['name'], string> = {
  builtin: RUN_DEFAULTS.timeout,
  xfstests: '900',
};

/** How power is cut; undefined where it is not. */
function powerCutOf(options: RunOptions): Outcome<PowerCutPlan | undefined> {
  if (!options.powerCut) {
    const given = options.cuts !== undefined ? '--cuts' : options.cutStates && '--cut-states';
    if (!given) return success(undefined);
    return failure('usage', `${given} without --power-cut`, 'Give both');
  }
  const refused = refusedWithCuts(options);
  if (refused) return failure('usage', `--power-cut ${refused[0]}`, refused[1]);
  const cuts = parseCount('--cuts', options.cuts ?? POWER_CUT_DEFAULTS.cuts, 0, 10_000);
  if (!cuts.ok) return cuts;
  const states = parseCount(
    '--cut-states',
    options.cutStates ?? POWER_CUT_DEFAULTS.cutStates,
    0,
    100,
  );
  return states.ok ? success({ cuts: cuts.value, states: states.value }) : states;
}

/** What does not go with it, and what to do. */
function refusedWithCuts({
  accel,
  pmem,
  control,
  checkpoint,
  together,
  configured,
}: RunOptions): [string, string] | undefined {
  if (accel === 'kvm')
    return ['watches what guests store, which takes emulation', 'Use --accel tcg'];
  if (pmem === 'none') {
    return [
      'is about persistent memory, and --pmem none has disks',
      `Use ${PMEM_KINDS.slice(0, -1).join(', ')}`,
    ];
  }
  if (together && !configured?.includes('together')) {
    return ['wants a guest for each test', 'Leave --together out'];
  }
  if (control) return ['is about DAX', 'Leave --control out'];
  if (checkpoint === false) return ['wants guests that are clones', 'Leave --no-checkpoint out'];
  return undefined;
}

/** The tests that are asked for, of the suite that is asked for. */
function selectFrom(
  fs: FileSystem,
  choice: { ids: readonly string[]; groups: readonly string[] },
  options: RunOptions,
): Outcome<Selection> {
  if (options.suite === 'builtin') {
    const selected = selectTests(builtinTests(), { ids: [...choice.ids], groups: choice.groups });
    const left = selected.ok ? withoutExcluded(selected.value, options) : selected;
    if (!left.ok) return left;
    return success({
      tests: left.value.map(({ id }) => id),
      suite: { name: 'builtin', version: builtinSuiteVersion() },
    });
  }
  const tree = findTree(options.suite);
  if (!tree.ok) return tree;
  const all = treeTests(tree.value, fs);
  if (!all.ok) return all;
  const chosen = chooseTests(all.value, choice, 'xfstests');
  const left = chosen.ok ? withoutExcluded(chosen.value, options) : chosen;
  if (!left.ok) return left;
  return success({
    tests: left.value.map(({ id }) => id),
    suite: {
      name: 'xfstests',
      version: '',
      tree: tree.value,
      facts: new Map(left.value.map((test) => [test.id, testFacts(tree.value, test)])),
    },
  });
}

function checkSize(
  text: string | undefined,
  fs: keyof typeof SMALLEST_SIZE,
): Outcome<number | undefined> {
  if (text === undefined) return success(undefined);
  const size = parseSize(text);
  if (!size.ok) return size;
  const smallest = SMALLEST_SIZE[fs];
  if (size.value < smallest || size.value > LARGEST_SIZE) {
    const mebibytes = (bytes: number) => `${bytes / 2 ** 20}M`;
    return failure(
      'usage',
      `--size ${text} is ${size.value < smallest ? 'too small' : 'too large'} for ${fs}`,
      `Give a size from ${mebibytes(smallest)} to ${mebibytes(LARGEST_SIZE)}`,
    );
  }
  return size;
}

/** `--keep-images`: a size, or 0 for none. */
export function parseImageBytes(text: string = RUN_DEFAULTS.keepImages): Outcome<number> {
  return /^0+$/.test(text) ? success(0) : parseSize(text);
}

/** Paths become absolute: a replay may be started elsewhere. */
export function buildOptionsOf({
  cc,
  kconfig = [],
}: Pick<RunOptions, 'cc' | 'kconfig'>): BuildOptions | undefined {
  if (cc === undefined && kconfig.length === 0) return undefined;
  return {
    ...(cc === undefined ? {} : { cc: cc.includes('/') ? resolve(cc) : cc }),
    kconfig: kconfig.map((file) => resolve(file)),
  };
}

function variantOf({ patch = [], steps, variant, variants }: RunOptions): Outcome<Variant> {
  if (variant !== undefined) {
    if (patch.length === 0 && steps === undefined) {
      return readVariant('--variant', variant, variants);
    }
    return failure(
      'usage',
      '--variant and --patch both say what is changed',
      'Leave one of them out; --variant NAME=FILE,FILE takes several files',
    );
  }
  const changes = patch.map((file) => resolve(file));
  if (steps === undefined) {
    return success(changes.length === 0 ? BASE : { name: 'patched', changes });
  }
  if (changes.length === 0) {
    return failure('usage', '--steps without --patch', 'Name the series with --patch');
  }
  const count = parseCount('--steps', steps, 1, 100_000);
  return count.ok ? success({ name: 'patched', changes, steps: count.value }) : count;
}

/**
 * The command that runs this unit again: only what differs from the defaults is named.
 *
 * @param after the tests that its guest ran before it
 */
export function replayCommand(
  unit: Unit,
  request: RunRequest,
  after: readonly string[] = [],
): string {
  const together = after.length > 0 ? ['--together'] : [];
  const usual = TIMEOUTS[request.suite.name];
  const options = replayOptions(unit, request, usual);
  return ['daxrepro', 'run', unit.fs, ...after, unit.test, ...options, ...together].join(' ');
}

/** The words of a command that has this unit again, after the test; each is one for a shell. */
export function replayOptions(unit: Unit, request: RunRequest, usualTimeout: string): string[] {
  const given: [string, string | undefined, string?][] = [
    [
      '--suite',
      request.suite.name === 'xfstests' ? request.suite.tree.directory : 'builtin',
      RUN_DEFAULTS.suite,
    ],
    ['--kernel', unit.kernelSpec, RUN_DEFAULTS.kernel],
    ['--cc', request.build?.cc],
    ...(request.build?.kconfig ?? []).map((file): [string, string] => ['--kconfig', file]),
    ...request.variant.changes.map((file): [string, string] => ['--patch', file]),
    ['--steps', request.variant.steps?.toString()],
    ['--pmem', unit.shape.pmem, RUN_DEFAULTS.pmem],
    ['--size', request.size === undefined ? undefined : String(request.size)],
    ['--mkfs-opts', request.mkfsOptions],
    ['--mount-opts', request.mountOptions],
    ['--timeout', String(unit.timeout), usualTimeout],
    ['--cpus', String(unit.shape.cpus), RUN_DEFAULTS.cpus],
    // Of one attempt among many: another may well have another verdict.
    ['--seed', request.repeat > 1 && !unit.powerCut ? String(unit.seed) : undefined],
  ];
  const options = given
    .filter(
      ([name, value, usual]) =>
        value !== undefined && (value !== usual || request.configured?.includes(name.slice(2))),
    )
    .flatMap(([name, value]) => [name, shellQuote(value ?? '')]);
  const control = unit.control ? ['--control'] : [];
  return [...options, ...control, ...(unit.powerCut ? cutWords(unit) : [])];
}

/** The moments are drawn from the seed. */
function cutWords({ powerCut, seed }: Unit): string[] {
  const { cuts, states } = powerCut as PowerCutPlan;
  return [
    '--power-cut',
    ...(String(cuts) === POWER_CUT_DEFAULTS.cuts ? [] : ['--cuts', String(cuts)]),
    ...(String(states) === POWER_CUT_DEFAULTS.cutStates ? [] : ['--cut-states', String(states)]),
    ...['--seed', String(seed)],
  ];
}

/** One word for a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_.,:=/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
