import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { checkQemuOption } from '../emulator/choose.js';
import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import { ACCELERATOR_CHOICES, type AcceleratorChoice } from '../guest/accelerator.js';
import { PMEM_KINDS } from '../guest/machine.js';
import type { PackageSources } from '../guest/packages.js';
import { debugFragments, debugNames } from '../kernel/debug-options.js';
import { type BuildOptions, checkBuildOptions } from '../kernel/kernel.js';
import { parseChoice, parseCount, parseSeconds, parseSize } from '../options.js';
import { allOf, failure, type Outcome, success } from '../outcome.js';
import { LARGEST_SIZE, SEEDS, SMALLEST_SIZE } from '../plan/plan.js';
import type { RunRequest } from '../plan/unit.js';
import { type ExpectedFailure, readExpectedFailures } from '../suite/expected.js';
import type { UserTest } from '../user-test/user-test.js';
import { checkUserlandOption } from '../userland/choose.js';
import { checkKeptPackages, checkPackageOption } from '../userland/package-option.js';
import { readVariant } from '../variant/named.js';
import { BASE, type Variant } from '../variant/variant.js';
import { checkCxl } from './cxl-options.js';
import { RUN_DEFAULTS, TIMEOUTS } from './defaults.js';
import { devicesOf } from './device-options.js';
import { checkAppend, checkSysctl } from './kernel-parameters.js';
import { kernelVersions } from './kernel-versions.js';
import { layersOf } from './layer-options.js';
import { poisonOf } from './poison-options.js';
import { powerCutOf } from './power-cut-options.js';
import { recordOf } from './record-options.js';
import type { RunOptions } from './run-options.js';
import { type Selection, selectFrom, selectSession } from './select-tests.js';

export interface CheckedRequest {
  request: RunRequest;
  accelerator: AcceleratorChoice;
  /** Number of guests at a time; undefined: as many as the machine can hold. */
  jobs: number | undefined;
  expected: readonly ExpectedFailure[];
  /** Bytes that images of damaged devices may take. */
  imageBytes: number;
}

/** Checks everything that needs no lookup and starts nothing. Reports all mistakes at once. */
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

/** The same for a session, which has no test. */
export function checkSession(fs: string, options: RunOptions): Outcome<CheckedRequest> {
  return check(fs, options, () => selectSession(options));
}

function check(
  fs: string,
  options: RunOptions,
  select: (fs: FileSystem) => Outcome<Selection>,
): Outcome<CheckedRequest> {
  const fileSystem = parseChoice('file system', fs, FILE_SYSTEMS);
  const selected = fileSystem.ok ? select(fileSystem.value) : fileSystem;
  // The meaning of tests, suite and time limit depends on these two.
  if (!fileSystem.ok) return fileSystem;
  if (!selected.ok) return selected;
  const { tests, suite, userTests } = selected.value;
  const checked = allOf({
    together: checkTogether(options, suite.name),
    pmem: parseChoice('--pmem', options.pmem, PMEM_KINDS),
    accelerator: parseChoice('--accel', options.accel, ACCELERATOR_CHOICES),
    timeout: parseSeconds(options.timeout ?? TIMEOUTS[suite.name]),
    repeat: parseCount('--repeat', attempts(options), 1, 100_000),
    seed: seedOf(options),
    cpus: parseCount('--cpus', options.cpus, 1, 64),
    qemu: checkQemuOption(options.qemu),
    userland: checkUserlandOption(options.userland),
    packages: packagesOf(options),
    jobs: jobsOf(options),
    build: buildOf(options),
    variant: variantOf(options),
    expected: expectedOf(options),
    imageBytes: parseImageBytes(options.keepImages),
    size: checkSize(options.size, fileSystem.value),
    memory: memoryOf(options),
    append: checkAppend(options.append),
    sysctl: checkSysctl(options.sysctl),
    soak: soakOf(options),
    runFor: runForOf(options, userTests.size > 0),
    powerCut: powerCutOf(options),
    record: recordOf(options),
    devices: devicesOf(options, fileSystem.value),
    cxl: checkCxl(options),
    layers: layersOf(options),
    poison: poisonOf(options),
    mkfsOptions: oneLine('--mkfs-opts', options.mkfsOpts),
    mountOptions: oneLine('--mount-opts', options.mountOpts),
  });
  if (!checked.ok) return checked;
  const { value } = checked;
  const { jobs, expected, imageBytes } = value;
  const { variant, pmem, size, timeout, repeat, seed, cpus, mkfsOptions, mountOptions } = value;
  return success({
    // Only emulation lets us watch the guest's stores, and counts its instructions.
    accelerator: value.powerCut || value.record ? 'tcg' : value.accelerator,
    ...{ jobs, expected: [...expectedByHeaders(userTests), ...expected], imageBytes },
    request: {
      ...value.layers,
      ...{ fs: fileSystem.value, tests, suite, kernel: options.kernel },
      ...(userTests.size > 0 ? { userTests } : {}),
      ...optionalOf(value),
      ...{ variant, pmem, size, mkfsOptions, mountOptions, timeout, repeat },
      untilFail: options.untilFail === true,
      ...{ seed, cpus, control: options.control === true },
      ...(options.configured ? { configured: options.configured } : {}),
    },
  });
}

/** The parts of a request that are left out if nothing asks for them. */
function optionalOf(checked: Optional) {
  const { memory, runFor, append, build, qemu, userland, packages, soak, powerCut, record } =
    checked;
  const { poison, sysctl = [], devices = [] } = checked;
  const programs = { qemu, userland, packages };
  return {
    ...defined({ memory, runFor, append, build, ...programs, soak, powerCut, record, poison }),
    ...(sysctl.length > 0 ? { sysctl } : {}),
    ...(devices.length > 0 ? { devices } : {}),
  };
}

type Optional = Pick<
  RunRequest,
  | 'memory'
  | 'runFor'
  | 'append'
  | 'build'
  | 'qemu'
  | 'userland'
  | 'packages'
  | 'soak'
  | 'powerCut'
  | 'record'
  | 'poison'
  | 'sysctl'
  | 'devices'
>;

/** Without what is undefined. */
function defined<Values extends object>(
  values: Values,
): { [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Values]?: Exclude<Values[Key], undefined> };
}

function packagesOf(options: RunOptions): Outcome<PackageSources | undefined> {
  if (options.keptPackages) return checkKeptPackages(options.keptPackages);
  const checked = allOf({
    e2fsprogs: checkPackageOption('e2fsprogs', options.e2fsprogs),
    xfsprogs: checkPackageOption('xfsprogs', options.xfsprogs),
  });
  if (!checked.ok) return checked;
  const { e2fsprogs, xfsprogs } = checked.value;
  return success(e2fsprogs || xfsprogs ? defined({ e2fsprogs, xfsprogs }) : undefined);
}

/** A guest takes over a second: more do not fit in a day. */
const MOST_ATTEMPTS = 50_000;

/** `--until-fail` without `--repeat` needs a limit of its own. */
function attempts({ repeat, untilFail, soak }: RunOptions): string {
  if (soak !== undefined) return String(MOST_ATTEMPTS);
  return untilFail && repeat === RUN_DEFAULTS.repeat ? '1000' : repeat;
}

/** The project's configuration applies only to runs that it fits. The command line must fit. */
function checkTogether({ together, configured }: RunOptions, suite: string): Outcome<void> {
  const asked = together && !configured?.includes('together');
  if (!asked || suite === 'xfstests') return success(undefined);
  return failure(
    'usage',
    '--together is for xfstests; the built-in tests start quickly',
    'Remove it, or name a tree with --suite',
  );
}

/** Seconds. */
function soakOf({ soak, repeat, untilFail }: RunOptions): Outcome<number | undefined> {
  if (soak === undefined) return success(undefined);
  if (repeat === RUN_DEFAULTS.repeat && !untilFail) return parseSeconds(soak);
  return failure(
    'usage',
    '--soak does not go with --repeat or --until-fail: it runs as many attempts as fit in its time',
    'Leave one of them out',
  );
}

function seedOf({ seed }: RunOptions): Outcome<number> {
  return seed === undefined ? success(randomInt(SEEDS)) : parseCount('--seed', seed, 0, SEEDS - 1);
}

function jobsOf({ jobs }: RunOptions): Outcome<number | undefined> {
  return jobs === undefined ? success(undefined) : parseCount('--jobs', jobs, 1, 512);
}

function buildOf(options: RunOptions): Outcome<BuildOptions | undefined> {
  const debug = debugFragments(options.debug ?? [], options.kernel);
  if (!debug.ok) return debug;
  // Fragments of the user's come last, and win.
  const kconfig = [...debug.value, ...(options.kconfig ?? [])];
  const build = buildOptionsOf({ ...options, kconfig });
  const fitting = checkBuildOptions(options.kernel, build ?? {});
  return fitting.ok ? success(build) : fitting;
}

function expectedOf({ expected, kernel }: RunOptions): Outcome<ExpectedFailure[]> {
  if (expected === undefined) return success([]);
  return readExpectedFailures(expected, kernelVersions(kernel));
}

function oneLine(name: string, value: string | undefined): Outcome<string | undefined> {
  if (value === undefined || !/[\x00-\x1f]/.test(value)) return success(value);
  return failure('usage', `${name} contains a control character`, 'Give it on one line');
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

function expectedByHeaders(userTests: ReadonlyMap<string, UserTest>): ExpectedFailure[] {
  return [...userTests.values()]
    .filter(({ settings }) => settings.expect === 'fail')
    .map(({ id }) => ({ test: id, reason: 'the header of the file says so' }));
}

/** Bytes: less does not boot, and QEMU takes whole portions of 128 MiB. */
const SMALLEST_MEMORY = 512 * 2 ** 20;
const LARGEST_MEMORY = 1024 * 2 ** 30;
const MEMORY_STEP = 128 * 2 ** 20;

/** Bytes: the shadow takes an eighth, and freed memory stays in quarantine for a while. */
const KASAN_MEMORY = 2 * 2 ** 30;

function memoryOf({ memory, debug }: RunOptions): Outcome<number | undefined> {
  if (memory === undefined) {
    return success(debugNames(debug ?? []).includes('kasan') ? KASAN_MEMORY : undefined);
  }
  const size = parseSize(memory);
  if (!size.ok) return size;
  if (size.value < SMALLEST_MEMORY || size.value > LARGEST_MEMORY) {
    return failure(
      'usage',
      `--memory ${memory} is too ${size.value < SMALLEST_MEMORY ? 'small' : 'large'} for a guest`,
      'Give a size from 512M to 1T',
    );
  }
  return success(Math.ceil(size.value / MEMORY_STEP) * MEMORY_STEP);
}

function runForOf(options: RunOptions, files: boolean): Outcome<number | undefined> {
  if (options.for === undefined) return success(undefined);
  if (files) return parseSeconds(options.for);
  return failure(
    'usage',
    '--for is for test files of your own that never end; bundled tests end by themselves',
    'Leave it out, or use --timeout',
  );
}

/** `--keep-images`: a size, or 0 for none. */
export function parseImageBytes(text: string = RUN_DEFAULTS.keepImages): Outcome<number> {
  return /^0+$/.test(text) ? success(0) : parseSize(text);
}

/** Paths become absolute, because a replay may start in another directory. */
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
      '--variant and --patch both specify the changes',
      'Remove one of them; --variant NAME=FILE,FILE takes several files',
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
