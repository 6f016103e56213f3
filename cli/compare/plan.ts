import { randomInt } from 'node:crypto';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import { type Outcome, success } from '../outcome.js';
import { planUnits, SEEDS } from '../plan/plan.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { type Case, type CellName, cellKey, cellNames, type Expected } from '../results/case.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { checkRequest } from '../run/request.js';
import { type ReadyInputs, withVersions } from '../run/suite.js';
import type { Variant } from '../variant/variant.js';
import { expectedOf } from './expectations.js';

/** Turns a case into requests of `run`. */

export interface Cell {
  name: CellName;
  expected: Expected | null;
  request: RunRequest;
}

export interface ComparisonPlan {
  /** In the order of the table of results. */
  cells: Cell[];
  accelerator: AcceleratorChoice;
  /** Guests at a time; undefined: as many as the machine has room for. */
  jobs: number | undefined;
  /** The limit for images of damaged devices, in bytes. */
  imageBytes: number;
}

/** Flags of the run, which are not part of a case. */
export interface RunFlags {
  repeat: string;
  seed?: string | undefined;
  jobs?: string | undefined;
  together?: boolean | undefined;
  keepImages?: string | undefined;
  accel: string;
  qemu?: string;
  userland?: string;
  e2fsprogs?: string;
  xfsprogs?: string;
  cc?: string;
  kconfig?: string[];
  configured?: string[];
  cuts?: string | undefined;
  cutStates?: string | undefined;
}

// The default timeout depends on the suite.
const { timeout: _, ...DEFAULTS } = RUN_DEFAULTS;

/** @param specs what is run in place of a kernel of the case, by its word */
export function planComparison(
  of: Case,
  flags: RunFlags,
  specs: ReadonlyMap<string, string> = new Map(),
): Outcome<ComparisonPlan> {
  // All cells get the same seed, so variants differ in nothing else.
  const seed = flags.seed ?? String(randomInt(SEEDS));
  const plan: ComparisonPlan = { cells: [], accelerator: 'auto', jobs: undefined, imageBytes: 0 };
  for (const name of cellNames(of)) {
    const { options } = of;
    const checked = checkRequest(name.fs, [name.test], {
      ...DEFAULTS,
      kernel: specs.get(name.kernel ?? of.kernel) ?? name.kernel ?? of.kernel,
      pmem: name.pmem,
      repeat: flags.repeat,
      seed,
      accel: flags.accel,
      suite: of.suite,
      ...givenFlags(flags),
      ...programsOf(flags, options),
      ...given('timeout', options.timeout),
      ...given('size', options.size?.[name.fs]),
      ...given('mkfsOpts', options.mkfsOpts?.[name.fs]),
      ...given('mountOpts', options.mountOpts?.[name.fs]),
      ...given('testsFrom', options.testsFrom),
      ...given('with', options.with),
      ...given('for', options.for),
      ...given('cpus', options.cpus),
      ...given('memory', options.memory),
      ...given('append', options.append),
      ...given('sysctl', options.sysctl),
      ...given('debug', options.debug),
      ...given('partition', options.partition),
      ...given('stack', options.stack),
      ...given('poison', options.poison),
      ...given('logDevice', options.logDevice),
      ...given('rtDevice', options.rtDevice),
      ...given('logwrites', options.logwrites),
      // A control mounts without DAX, so it makes sense without pmem only.
      control: options.control === true && name.pmem === 'none',
      powerCut: name.powerCut,
      // `run` refuses these options without power cuts.
      ...(name.powerCut || !of.powerCut.includes(true)
        ? { ...given('cuts', flags.cuts), ...given('cutStates', flags.cutStates) }
        : {}),
    });
    if (!checked.ok) return checked;
    const { request, accelerator, jobs, imageBytes } = checked.value;
    const variant = of.variants.find((one) => one.name === name.variant) as Variant;
    Object.assign(plan, { accelerator, jobs, imageBytes });
    plan.cells.push({
      name,
      expected: expectedOf({ ...name, kernel: name.kernel ?? of.kernel }, of.expectations),
      request: { ...request, variant, ...asked(name) },
    });
  }
  return success({ ...plan, accelerator: commonAccelerator(plan) });
}

/** Flags that hold for all cells. */
function givenFlags(flags: RunFlags) {
  return {
    ...given('configured', flags.configured),
    ...given('jobs', flags.jobs),
    ...given('together', flags.together),
    ...given('keepImages', flags.keepImages),
    ...given('qemu', flags.qemu),
    ...given('cc', flags.cc),
    ...given('kconfig', flags.kconfig),
  };
}

/** A flag overrides the case file. */
function programsOf(flags: RunFlags, options: Case['options']) {
  return {
    ...given('userland', flags.userland ?? options.userland),
    ...given('e2fsprogs', flags.e2fsprogs ?? options.e2fsprogs),
    ...given('xfsprogs', flags.xfsprogs ?? options.xfsprogs),
  };
}

/** Power cuts need emulation, so the cells they are compared with are emulated, too. */
export function commonAccelerator({ cells, accelerator }: ComparisonPlan): AcceleratorChoice {
  return cells.some(({ request }) => request.powerCut) ? 'tcg' : accelerator;
}

function asked({ kernel }: CellName): Pick<RunRequest, 'askedKernel'> {
  return kernel === undefined ? {} : { askedKernel: kernel };
}

function given<Key extends string, Value>(key: Key, value: Value | undefined) {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}

/**
 * The units of all cells, the first attempt of every cell before any second one. So cells run under the
 * same conditions, and an interrupted comparison still has attempts of every cell.
 *
 * @param releaseOf the release of a request's kernel
 * @param ready the request's inputs; undefined for the built-in tests and this machine's tools
 */
export function unitsOf(
  cells: readonly Cell[],
  releaseOf: (request: RunRequest) => string,
  ready: ReadyInputs = { suite: undefined },
): Unit[] {
  return cells
    .flatMap(({ request }) => planUnits(withVersions(request, ready), releaseOf(request)))
    .sort((a, b) => a.attempt - b.attempt);
}

/** Finds the cell of a unit, or of its result. */
export function cellFinder(cells: readonly Cell[]): (name: CellName) => Cell {
  const byKey = new Map(cells.map((cell) => [cellKey(cell.name), cell]));
  return (name) => {
    const cell = byKey.get(cellKey(name));
    if (!cell) throw new Error(`no cell ${cellKey(name)}`);
    return cell;
  };
}

export function cellNameOf(unit: Unit): CellName {
  return {
    variant: unit.variant,
    fs: unit.fs,
    test: unit.test,
    pmem: unit.shape.pmem,
    powerCut: unit.powerCut !== undefined,
    ...(unit.askedKernel === undefined ? {} : { kernel: unit.askedKernel }),
  };
}
