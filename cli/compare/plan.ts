import { randomInt } from 'node:crypto';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import { type Outcome, success } from '../outcome.js';
import { planUnits, SEEDS } from '../plan/plan.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { type Case, type CellName, cellKey, cellNames, type Expected } from '../results/case.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { checkRequest } from '../run/request.js';
import { withVersion } from '../run/suite.js';
import type { Variant } from '../variant/variant.js';
import { expectedOf } from './expectations.js';

/** A case as the requests of `run` that it consists of. */

export interface Cell {
  name: CellName;
  expected: Expected | null;
  request: RunRequest;
}

export interface ComparisonPlan {
  /** In the order of the table. */
  cells: Cell[];
  accelerator: AcceleratorChoice;
  /** Guests at a time; undefined: as many as the machine takes. */
  jobs: number | undefined;
  /** Bytes that images of damaged devices may take. */
  imageBytes: number;
}

/** What is not the case's business, but the run's. */
export interface RunFlags {
  repeat: string;
  seed?: string | undefined;
  jobs?: string | undefined;
  together?: boolean | undefined;
  keepImages?: string | undefined;
  accel: string;
  cc?: string;
  kconfig?: string[];
  configured?: string[];
  cuts?: string | undefined;
  cutStates?: string | undefined;
}

// How long a test may take depends on the suite.
const { timeout: _, ...DEFAULTS } = RUN_DEFAULTS;

export function planComparison(of: Case, flags: RunFlags): Outcome<ComparisonPlan> {
  // The same for all: attempts of different variants are to differ by the variant alone.
  const seed = flags.seed ?? String(randomInt(SEEDS));
  const plan: ComparisonPlan = { cells: [], accelerator: 'auto', jobs: undefined, imageBytes: 0 };
  for (const name of cellNames(of)) {
    const { options } = of;
    const checked = checkRequest(name.fs, [name.test], {
      ...DEFAULTS,
      kernel: of.kernel,
      pmem: name.pmem,
      repeat: flags.repeat,
      seed,
      accel: flags.accel,
      ...(flags.configured === undefined ? {} : { configured: flags.configured }),
      ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
      ...(flags.together === undefined ? {} : { together: flags.together }),
      ...(flags.keepImages === undefined ? {} : { keepImages: flags.keepImages }),
      suite: of.suite,
      ...(flags.cc === undefined ? {} : { cc: flags.cc }),
      ...(flags.kconfig === undefined ? {} : { kconfig: flags.kconfig }),
      ...given('timeout', options.timeout),
      ...given('size', options.size?.[name.fs]),
      ...given('mkfsOpts', options.mkfsOpts?.[name.fs]),
      ...given('mountOpts', options.mountOpts?.[name.fs]),
      // On a pmem kind the control is a mount without DAX where DAX was to be compared.
      control: options.control === true && name.pmem === 'none',
      powerCut: name.powerCut,
      // Where nothing is cut they are refused.
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
      expected: expectedOf(name, of.expectations),
      request: { ...request, variant },
    });
  }
  return success({ ...plan, accelerator: commonAccelerator(plan) });
}

/** What is cut is emulated, and so is what it is compared with. */
export function commonAccelerator({ cells, accelerator }: ComparisonPlan): AcceleratorChoice {
  return cells.some(({ request }) => request.powerCut) ? 'tcg' : accelerator;
}

function given<Key extends string>(key: Key, value: string | undefined) {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, string>);
}

/**
 * The first attempt of every cell before the second of any: what is compared meets the same
 * conditions, and whoever interrupts has every cell, tried less often.
 *
 * @param suite where the tests are not those that come with us
 */
export function unitsOf(cells: readonly Cell[], release: string, suite?: TreeArchive): Unit[] {
  return cells
    .flatMap(({ request }) => planUnits(withVersion(request, suite), release))
    .sort((a, b) => a.attempt - b.attempt);
}

/** The cell that a unit, or its result, belongs to. */
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
  };
}
