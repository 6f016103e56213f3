import type { PackageSource } from '../guest/packages.js';
import { poisonText } from '../guest/poison.js';
import type { PowerCutPlan, RunRequest, Unit } from '../plan/unit.js';
import { shellQuote } from '../shell-quote.js';
import type { SuiteChange } from '../suite/xfstests/overlay.js';
import { originOf } from '../suite/xfstests/tree.js';
import { POWER_CUT_DEFAULTS, RUN_DEFAULTS, TIMEOUTS } from './defaults.js';

/**
 * The command that runs this unit again. It names only what differs from the defaults.
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
  const test = testWord(unit, request);
  return ['daxrepro', 'run', unit.fs, ...after, test, ...options, ...together].join(' ');
}

/** A test outside of the tree is named by its file. */
function testWord({ test, userTest }: Unit, { suite }: RunRequest): string {
  const outside = changesOf(suite).find(
    (change) => change.type === 'file' && change.path === `tests/${test}`,
  );
  const file = userTest?.file ?? outside?.file;
  return file === undefined ? test : shellQuote(file);
}

function changesOf(suite: RunRequest['suite']): readonly SuiteChange[] {
  return (suite.name === 'xfstests' && suite.tree.overlay?.changes) || [];
}

/** The part of such a command after the test: one shell word each. */
export function replayOptions(unit: Unit, request: RunRequest, usualTimeout: string): string[] {
  const given: [string, string | undefined, string?][] = [
    [
      '--suite',
      request.suite.name === 'xfstests' ? originOf(request.suite.tree) : 'builtin',
      RUN_DEFAULTS.suite,
    ],
    ...changesOf(request.suite)
      .filter(({ type }) => type === 'patch')
      .map(({ file }): [string, string] => ['--suite-patch', file]),
    ['--kernel', unit.kernelSpec, RUN_DEFAULTS.kernel],
    ['--cc', request.build?.cc],
    ['--qemu', request.qemu],
    ['--userland', request.userland],
    ...packageOptions(request),
    ...(request.build?.kconfig ?? []).map((file): [string, string] => ['--kconfig', file]),
    ...request.variant.changes.map((file): [string, string] => ['--patch', file]),
    ['--steps', request.variant.steps?.toString()],
    ['--pmem', unit.shape.pmem, RUN_DEFAULTS.pmem],
    ['--stack', unit.shape.stack],
    ...(unit.poison ?? []).map((range): [string, string] => ['--poison', poisonText(range)]),
    ['--size', request.size === undefined ? undefined : String(request.size)],
    ['--mkfs-opts', request.mkfsOptions],
    ['--mount-opts', request.mountOptions],
    ...userTestOptions(unit, request, usualTimeout),
    ['--cpus', String(unit.shape.cpus), RUN_DEFAULTS.cpus],
    // For one of many attempts: another seed may give another verdict.
    ['--seed', request.repeat > 1 && !unit.powerCut ? String(unit.seed) : undefined],
  ];
  const options = given
    .filter(
      ([name, value, usual]) =>
        value !== undefined && (value !== usual || request.configured?.includes(name.slice(2))),
    )
    .flatMap(([name, value]) => [name, shellQuote(value ?? '')]);
  const flags = [
    ...(unit.shape.partition ? ['--partition'] : []),
    ...(unit.control ? ['--control'] : []),
  ];
  const devices = (request.devices ?? []).map((option) => `--${option}`);
  const record = unit.shape.recorded ? ['--record'] : [];
  return [...options, ...flags, ...devices, ...(unit.powerCut ? cutWords(unit) : []), ...record];
}

function packageOptions({ packages = {} }: RunRequest): [string, string | undefined][] {
  return Object.entries(packages).map(([name, source]) => [`--${name}`, packageWord(source)]);
}

/** A kept package has no option: `daxrepro replay` takes it from the run. */
function packageWord(source: PackageSource): string | undefined {
  if (source.type === 'tree') return source.directory;
  if (source.type === 'kept') return undefined;
  return `debian:${source.suite}${source.version === undefined ? '' : `=${source.version}`}`;
}

/** A file's own header applies again; what the command line said has to be said again. */
function userTestOptions(
  unit: Unit,
  request: RunRequest,
  usualTimeout: string,
): [string, string | undefined, string?][] {
  const { settings, with: directory } = unit.userTest ?? {};
  const own = settings?.timeout !== undefined || unit.endsByTime;
  return [
    ['--timeout', own ? undefined : String(unit.timeout), usualTimeout],
    ['--append', request.append],
    ...(request.sysctl ?? []).map((one): [string, string] => ['--sysctl', one]),
    ['--memory', request.memory === undefined ? undefined : String(request.memory)],
    ['--for', request.runFor === undefined ? undefined : String(request.runFor)],
    ['--with', directory],
  ];
}

/** The seed determines the random moments. */
export function cutWords({ powerCut, seed }: Unit): string[] {
  const { cuts, states } = powerCut as PowerCutPlan;
  return [
    '--power-cut',
    ...(String(cuts) === POWER_CUT_DEFAULTS.cuts ? [] : ['--cuts', String(cuts)]),
    ...(String(states) === POWER_CUT_DEFAULTS.cutStates ? [] : ['--cut-states', String(states)]),
    ...['--seed', String(seed)],
  ];
}
