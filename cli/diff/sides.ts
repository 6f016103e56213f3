import { basename } from 'node:path';
import type { Attempts } from '../compare/differences.js';
import { groupBy } from '../group-by.js';
import { deviceWords } from '../guest/layers.js';
import { failure, type Outcome, success } from '../outcome.js';
import { cellOf } from '../results/compare-result.js';
import { type KeptResult, NO_SESSIONS, readResult } from '../results/read.js';
import type { RunResult, UnitResult } from '../results/run-result.js';
import { runSchema } from '../results/schema.js';
import { VERDICTS } from '../verdict/judge.js';

/** The two sides of a diff. A side may combine several runs. */

export interface Side {
  /** In the order of the command line. */
  runs: readonly KeptRun[];
}

export type KeptRun = Exclude<KeptResult, { kind: 'bisect' }>;

export function readSide(names: readonly string[]): Outcome<Side> {
  const runs: KeptRun[] = [];
  for (const name of names) {
    const kept = readResult(name);
    if (!kept.ok) return kept;
    if (kept.value.kind === 'bisect') {
      return failure(
        'usage',
        `${name} is a bisection, which has no verdicts to compare`,
        'Name directories of `run` or `compare`',
      );
    }
    runs.push(kept.value);
  }
  return success({ runs });
}

/**
 * Both sides if none is named: the newest run, and the latest earlier run of one of its tests. Unrelated
 * runs may lie between them.
 */
export function newestSides(): Outcome<{ before: Side; after: Side }> {
  const after = newest(() => true, 'of `run` or `compare`');
  if (!after.ok) return after;
  const { directory, result } = after.value;
  const ran = new Set(result.units.map(testKey));
  const before = newest(
    (run) => run.directory < directory && run.tests.some((test) => ran.has(test)),
    `before ${basename(directory)} that ran one of its tests`,
  );
  if (!before.ok) return before;
  return success({ before: { runs: [before.value] }, after: { runs: [after.value] } });
}

function newest(
  accept: (run: { directory: string; tests: string[] }) => boolean,
  what: string,
): Outcome<KeptRun> {
  const kept = readResult(undefined, {
    accept: (run) => {
      const parsed = runSchema.safeParse(run.result);
      if (!parsed.success || !NO_SESSIONS.accept(run)) return false;
      return accept({ directory: run.directory, tests: parsed.data.units.map(testKey) });
    },
    what,
  });
  return kept as Outcome<KeptRun>;
}

function testKey(unit: Pick<UnitResult, 'fs' | 'test'> & Parameters<typeof deviceWords>[0]) {
  return JSON.stringify([unit.fs, unit.test, deviceWords(unit)]);
}

export function unitsOf({ runs }: Side): UnitResult[] {
  return runs.flatMap(({ result }) => result.units as readonly UnitResult[]);
}

export function resultsOf({ runs }: Side): RunResult[] {
  return runs.map(({ result }) => result);
}

/** How units of both sides are matched. */
export interface Matching {
  /** False if each side has only one variant, so that `run` can be compared with `run --patch`. */
  byVariant: boolean;
  /** With --by-kernel, or if a comparison of several kernels is on a side. */
  byKernel: boolean;
}

/** All attempts of one cell on each side. */
export interface Pair {
  before: Attempts | undefined;
  after: Attempts | undefined;
}

export function pairsOf(before: Side, after: Side, byKernel: boolean) {
  const [old, young] = [unitsOf(before), unitsOf(after)];
  const several = [...old, ...young].some(({ kernel }) => kernel.asked !== undefined);
  const matching: Matching = {
    byVariant: variants(old) > 1 || variants(young) > 1,
    byKernel: byKernel || several,
  };
  const [one, other] = [grouped(old, matching), grouped(young, matching)];
  const keys = new Set([...one.keys(), ...other.keys()]);
  const pairs = [...keys].map((key): Pair => ({ before: one.get(key), after: other.get(key) }));
  return { pairs, matching };
}

function variants(units: readonly UnitResult[]): number {
  return new Set(units.map(({ variant }) => variant)).size;
}

function grouped(units: readonly UnitResult[], { byVariant, byKernel }: Matching) {
  const groups = groupBy(units, (unit) =>
    JSON.stringify([
      unit.fs,
      unit.suite.name,
      unit.test,
      deviceWords(unit),
      unit.powerCut !== undefined,
      unit.control,
      byVariant ? unit.variant : '',
      byKernel ? (unit.kernel.asked ?? unit.kernel.spec) : '',
    ]),
  );
  return new Map([...groups].map(([key, group]) => [key, attemptsOf(group)]));
}

/** @param units at least one, all of the same cell */
export function attemptsOf(units: readonly UnitResult[]): Attempts {
  const [first] = units as [UnitResult];
  const verdict = VERDICTS.findLast((one) => units.some((unit) => unit.verdict === one));
  return { ...cellOf(first), units, verdict };
}
