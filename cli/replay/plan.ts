import { join } from 'node:path';
import { type Cell, type ComparisonPlan, cellNameOf, commonAccelerator } from '../compare/plan.js';
import { groupBy } from '../group-by.js';
import { poisonText } from '../guest/poison.js';
import { keptPackages, keptUserTests } from '../inputs/keep.js';
import type { KeptInputs } from '../inputs/read.js';
import type { RecordedRequest } from '../inputs/schema.js';
import { parseCount } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import { planUnits, SEEDS } from '../plan/plan.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { cellKey } from '../results/case.js';
import { cellOf } from '../results/compare-result.js';
import type { UnitResult } from '../results/run-result.js';
import type { GuestOf } from '../run/batches.js';
import { checkRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';

/** Plans the units of a replay from a kept run. Kept values are checked like options. */

export interface ReplayFlags {
  /** Only units that failed or had no verdict. */
  failures?: boolean | undefined;
  repeat?: string | undefined;
  suite?: string | undefined;
  kernel?: string | undefined;
  accel: string;
  jobs?: string | undefined;
  keepImages?: string | undefined;
  /** The bundle has the kernels of all units, so several kernels are fine. */
  brought?: boolean | undefined;
}

export interface ReplayPlan extends ComparisonPlan {
  /** The units to run, once the releases of the kernels are known. */
  units: (releaseOf: (request: RunRequest) => string, suiteVersion: string) => Unit[];
  /** Which tests shared a guest and share one again; undefined if none did. */
  together: GuestOf | undefined;
}

/** @param recorded the units to run again: at least one, all from the run of these inputs */
export function planReplay(
  recorded: readonly UnitResult[],
  { inputs, directory }: KeptInputs,
  flags: ReplayFlags,
): Outcome<ReplayPlan> {
  const repeat =
    flags.repeat === undefined
      ? success(undefined)
      : parseCount('--repeat', flags.repeat, 1, 100_000);
  if (!repeat.ok) return repeat;
  const plan: ComparisonPlan = { cells: [], accelerator: 'auto', jobs: undefined, imageBytes: 0 };
  const kernels = new Set<string>();
  const wanted: { cell: Cell; attempts: readonly UnitResult[] }[] = [];
  for (const attempts of groups(recorded)) {
    const [unit] = attempts as [UnitResult];
    for (const { seed } of attempts) {
      const checked = parseCount('seed', String(seed), 0, SEEDS - 1);
      if (!checked.ok) return checked;
    }
    const fitting = inputs.requests.filter((one) => fits(one, unit));
    const cut = unit.powerCut !== undefined;
    const request = fitting.find(({ powerCut }) => (powerCut !== undefined) === cut) ?? fitting[0];
    if (!request) {
      return failure(
        'unreadable',
        `The inputs of the run do not contain ${unit.fs} ${unit.test}, ${unit.variant}, ${unit.pmem}`,
        'Its result.json or inputs/manifest.json was edited: restore them, or replay another run',
      );
    }
    kernels.add(request.kernel);
    const several = whyOneAtATime(kernels.size, request, flags);
    if (several) return several;
    const checked = checkRequest(
      request.fs,
      [unit.test],
      optionsOf(request, { directory, inputs }, flags),
    );
    if (!checked.ok) return checked;
    const { accelerator, jobs, imageBytes } = checked.value;
    Object.assign(plan, { accelerator, jobs, imageBytes });
    const { askedKernel } = request;
    const asked = askedKernel === undefined ? {} : { askedKernel };
    const wanting = { ...checked.value.request, ...asked };
    const cell = cellOfRequest(wanting, unit.test, request.variant, directory);
    plan.cells.push(cell);
    wanted.push({ cell, attempts });
  }
  const units: ReplayPlan['units'] = (releaseOf, suiteVersion) =>
    wanted
      .flatMap((one) => {
        const release = releaseOf(one.cell.request);
        return unitsOfCell(one, { release, suiteVersion, repeat: repeat.value });
      })
      .sort((a, b) => a.attempt - b.attempt);
  const accelerator = commonAccelerator(plan);
  return success({ ...plan, accelerator, units, together: guestsOf(recorded) });
}

/** Several kernels can be replayed at once if the run compared them, each under its own name. */
function whyOneAtATime(
  kernels: number,
  { askedKernel }: RecordedRequest,
  { brought, kernel }: ReplayFlags,
): Outcome<never> | undefined {
  if (kernels < 2) return undefined;
  if (!brought && askedKernel === undefined) {
    return failure(
      'usage',
      'These units ran on different kernels, each built as a whole',
      'Replay one unit at a time, by its number, such as RUN#3',
    );
  }
  if (kernel === undefined) return undefined;
  return failure(
    'usage',
    `--kernel ${kernel} would replace all kernels of a run that compares several`,
    'Replay one unit, by its number, such as RUN#3, or leave out --kernel',
  );
}

/** @param directory of the kept files of the variant */
function cellOfRequest(
  request: RunRequest,
  test: string,
  { name, changes, steps }: RecordedRequest['variant'],
  directory: string,
): Cell {
  const { fs, pmem, powerCut, askedKernel } = request;
  const variant = {
    name,
    changes: changes.map((file) => join(directory, file)),
    ...(steps === undefined ? {} : { steps }),
  };
  return {
    name: {
      ...{ variant: name, fs, test, pmem, powerCut: powerCut !== undefined },
      ...(askedKernel === undefined ? {} : { kernel: askedKernel }),
    },
    expected: null,
    request: { ...request, variant },
  };
}

/** Groups units by recorded guest numbers. Additional attempts are grouped like the recorded ones. */
function guestsOf(recorded: readonly UnitResult[]): GuestOf | undefined {
  const guests = new Map<string, number>();
  for (const unit of recorded) {
    const guest = unit.together?.guest;
    if (guest === undefined) continue;
    guests.set(JSON.stringify([groupKey(unit), unit.attempt]), guest);
    if (!guests.has(groupKey(unit))) guests.set(groupKey(unit), guest);
  }
  if (guests.size === 0) return undefined;
  return (unit) => {
    const key = cellKey(cellNameOf(unit));
    const own = guests.get(JSON.stringify([key, unit.attempt])) ?? guests.get(key);
    return own === undefined ? undefined : `${own} ${unit.attempt}`;
  };
}

/** The recorded attempts with their seeds; with --repeat, that many from the first seed on. */
function unitsOfCell(
  { cell: { request }, attempts }: { cell: Cell; attempts: readonly UnitResult[] },
  how: { release: string; suiteVersion: string; repeat: number | undefined },
): Unit[] {
  const suite = { ...request.suite, version: how.suiteVersion || request.suite.version };
  const [first] = attempts as [UnitResult];
  if (how.repeat !== undefined) {
    const again = { ...request, suite, seed: first.seed, repeat: how.repeat };
    return planUnits(again, how.release);
  }
  return attempts.flatMap(({ attempt, seed }) =>
    planUnits({ ...request, suite, seed, repeat: 1 }, how.release).map((unit) => ({
      ...unit,
      attempt,
    })),
  );
}

export function groups(units: readonly UnitResult[]): UnitResult[][] {
  return [...groupBy(units, groupKey).values()];
}

export function groupKey(unit: UnitResult): string {
  return cellKey(cellOf(unit));
}

function fits(request: RecordedRequest, unit: UnitResult): boolean {
  const { fs, tests, variant, pmem, control, askedKernel } = request;
  return (
    fs === unit.fs &&
    askedKernel === unit.kernel.asked &&
    tests.includes(unit.test) &&
    variant.name === unit.variant &&
    pmem === unit.pmem &&
    control === unit.control
  );
}

function optionsOf(
  request: RecordedRequest,
  { inputs, directory }: KeptInputs,
  flags: ReplayFlags,
): RunOptions {
  const given = <Key extends keyof RunOptions>(key: Key, value: RunOptions[Key] | undefined) =>
    value === undefined ? {} : ({ [key]: value } as Pick<RunOptions, Key>);
  return {
    kernel: flags.kernel ?? request.kernel,
    pmem: request.pmem,
    suite:
      inputs.suite.name === 'builtin'
        ? 'builtin'
        : (flags.suite ?? inputs.suiteDirectory ?? 'xfstests'),
    timeout: String(request.timeout),
    repeat: '1',
    seed: String(request.seed),
    cpus: String(request.cpus),
    accel: flags.accel,
    control: request.control,
    ...given('cc', request.cc),
    ...given('qemu', request.qemu),
    ...given('userland', request.userland),
    ...given('keptPackages', request.packages && keptPackages(request.packages, directory)),
    ...given(
      'kconfig',
      request.kconfig.length > 0 ? request.kconfig.map((file) => join(directory, file)) : undefined,
    ),
    ...given('size', request.size === undefined ? undefined : String(request.size)),
    ...given('mkfsOpts', request.mkfsOptions),
    ...given('mountOpts', request.mountOptions),
    ...given('powerCut', request.powerCut && true),
    ...given('memory', request.memory?.toString()),
    ...given('append', request.append),
    ...given('sysctl', request.sysctl),
    ...given('partition', request.partition),
    ...given('stack', request.stack),
    ...given('poison', request.poison?.map(poisonText)),
    ...given('logDevice', request.devices?.includes('log-device')),
    ...given('rtDevice', request.devices?.includes('rt-device')),
    ...given('logwrites', request.devices?.includes('logwrites')),
    ...given('for', request.runFor?.toString()),
    ...given('keptTests', request.userTests && keptUserTests(request.userTests, directory)),
    ...given('cuts', request.powerCut?.cuts.toString()),
    ...given('cutStates', request.powerCut?.states.toString()),
    ...given('jobs', flags.jobs),
    ...given('keepImages', flags.keepImages),
  };
}
