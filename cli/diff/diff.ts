import { type Attempts, compareAttempts, isDecided } from '../compare/differences.js';
import { countOf, LEVEL, rateOf } from '../compare/rates.js';
import { EXIT } from '../outcome.js';
import type { Difference, RateComparison, SignatureChange } from '../results/compare-result.js';
import { fisherTest } from '../statistics/fisher.js';
import type { Verdict } from '../verdict/judge.js';
import { version } from '../version.js';
import { type ContextDifference, contextDifferences } from './context.js';
import { compareDurations, type DurationChange } from './durations.js';
import { type Pair, pairsOf, type Side, unitsOf } from './sides.js';

/** Compares two sets of runs. Pure. */

export interface DiffResult {
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  command: string[];
  before: { runs: string[]; units: number };
  after: { runs: string[]; units: number };
  /** The fields by which units of the two sides are matched. */
  matchedBy: string[];
  /** Kernels, modules, tools and hosts that differ. */
  context: ContextDifference[];
  conclusion: 'same' | 'better' | 'worse' | 'cannot-tell' | 'changed';
  counts: Record<CellDiff['kind'] | 'same' | 'compared', number>;
  /** The cells that differ, or are on one side only. */
  cells: CellDiff[];
  /** How many cells have too few attempts to compare durations, and how many attempts it takes. */
  durations: { compared: number; undecided: number; attemptsNeeded: number | null };
}

export interface CellDiff {
  fs: string;
  test: string;
  pmem: string;
  powerCut: boolean;
  /** null if that side did not run it. */
  before: SideOfCell | null;
  after: SideOfCell | null;
  kind: 'worse' | 'better' | 'changed' | 'no-verdict-now' | 'only-before' | 'only-after';
  /** Why the cell is of this kind. */
  reasons: Reason[];
  /** False if a side has no verdict; both lists are empty then. */
  comparable: boolean;
  appeared: SignatureChange[];
  vanished: VanishedSignature[];
  /** Failure rates, if a side has several attempts. */
  failures: RateComparison | null;
  duration: DurationChange | null;
}

export interface SideOfCell {
  variant: string;
  kernel: string;
  /** The worst verdict. */
  verdict: Verdict;
  attempts: Partial<Record<Verdict, number>>;
}

export interface VanishedSignature extends SignatureChange {
  /** From Fisher's exact test, for a finding that showed in only some attempts before; else null. */
  p: number | null;
  /** True if chance explains its absence: it showed in only some attempts, and there are too few now. */
  maybeChance: boolean;
}

export type Reason =
  | 'fails-now'
  | 'fails-more'
  | 'new-finding'
  | 'passes-now'
  | 'fails-less'
  | 'finding-gone'
  | 'verdict-now'
  | 'slower'
  | 'faster';

export interface DiffOptions {
  byKernel: boolean;
  /** Whether a slower test counts as worse. */
  slowerIsWorse: boolean;
}

export function diff(
  before: Side,
  after: Side,
  { byKernel, slowerIsWorse }: DiffOptions,
  command: string[],
): DiffResult {
  const { pairs, matching } = pairsOf(before, after, byKernel);
  const both = pairs.filter(isWhole);
  const durations = new Map(
    compareDurations(both).map((duration, index) => [both[index] as Pair, duration]),
  );
  const all = pairs.map((pair) => cellDiff(pair, durations.get(pair), slowerIsWorse));
  const cells = all.filter((cell) => cell !== undefined);
  const comparable = both.filter((pair) => tells(pair.before) && tells(pair.after));
  const measured = [...durations.values()].filter((one) => one !== undefined);
  const count = (kind: CellDiff['kind']) => cells.filter((cell) => cell.kind === kind).length;
  const counts: DiffResult['counts'] = {
    compared: comparable.length,
    same: both.length - cells.filter((cell) => cell.before && cell.after).length,
    worse: count('worse'),
    better: count('better'),
    changed: count('changed'),
    'no-verdict-now': count('no-verdict-now'),
    'only-before': count('only-before'),
    'only-after': count('only-after'),
  };
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command,
    before: describeSide(before),
    after: describeSide(after),
    matchedBy: [
      ...['fs', 'test', 'pmem', 'powerCut'],
      ...(matching.byVariant ? ['variant'] : []),
      ...(matching.byKernel ? ['kernel'] : []),
    ],
    context: contextDifferences(before, after),
    conclusion: concludeOf(counts),
    counts,
    cells,
    durations: {
      compared: measured.length,
      undecided: measured.filter(({ conclusion }) => conclusion === 'undecided').length,
      attemptsNeeded: measured.find(({ attemptsNeeded }) => attemptsNeeded)?.attemptsNeeded ?? null,
    },
  };
}

/** See the help of `diff`: a worse result takes precedence over a missing one. */
export function exitCodeOfDiff({ conclusion }: Pick<DiffResult, 'conclusion'>): number {
  if (conclusion === 'worse') return EXIT.failed;
  return conclusion === 'cannot-tell' ? EXIT.noVerdict : EXIT.ok;
}

function concludeOf(counts: DiffResult['counts']): DiffResult['conclusion'] {
  if (counts.worse > 0) return 'worse';
  if (counts.compared === 0 || counts['no-verdict-now'] > 0) return 'cannot-tell';
  if (counts.better > 0) return 'better';
  const others = counts.changed + counts['only-before'] + counts['only-after'];
  return others > 0 ? 'changed' : 'same';
}

function isWhole(pair: Pair): pair is { before: Attempts; after: Attempts } {
  return pair.before !== undefined && pair.after !== undefined;
}

function tells({ units }: Attempts): boolean {
  return units.some(isDecided);
}

function describeSide(side: Side): DiffResult['before'] {
  return { runs: side.runs.map(({ directory }) => directory), units: unitsOf(side).length };
}

/** Returns undefined if nothing differs. */
function cellDiff(
  pair: Pair,
  duration: DurationChange | undefined,
  slowerIsWorse: boolean,
): CellDiff | undefined {
  const one = (pair.after ?? pair.before) as Attempts;
  const common = {
    ...{ fs: one.fs, test: one.test, pmem: one.pmem, powerCut: one.powerCut },
    before: pair.before ? sideOf(pair.before) : null,
    after: pair.after ? sideOf(pair.after) : null,
    duration: duration ?? null,
  };
  if (!isWhole(pair)) {
    const failing = pair.after !== undefined && countOf(pair.after).hits > 0;
    const only = pair.after === undefined ? 'only-before' : 'only-after';
    const kind = failing ? 'worse' : only;
    const reasons: Reason[] = failing ? ['fails-now'] : [];
    return { ...common, ...NOTHING, kind, reasons };
  }
  const change = compareAttemptsFully(pair.before, pair.after);
  const reasons = [...change.reasons, ...ofDuration(duration)];
  const lost = tells(pair.before) && !tells(pair.after);
  const verdicts = pair.before.verdict !== pair.after.verdict;
  const notices = change.appeared.length + change.vanished.length > 0;
  if (reasons.length === 0 && !lost && !verdicts && !notices) return undefined;
  return { ...common, ...change, reasons, kind: kindOf(reasons, { lost, slowerIsWorse }) };
}

const NOTHING = { comparable: false, appeared: [], vanished: [], failures: null };

const WORSE: readonly Reason[] = ['fails-now', 'fails-more', 'new-finding'];
const BETTER: readonly Reason[] = ['passes-now', 'fails-less', 'finding-gone', 'verdict-now'];

function kindOf(
  reasons: readonly Reason[],
  { lost, slowerIsWorse }: { lost: boolean; slowerIsWorse: boolean },
): CellDiff['kind'] {
  const worse = slowerIsWorse ? [...WORSE, 'slower'] : WORSE;
  if (reasons.some((reason) => worse.includes(reason))) return 'worse';
  if (lost) return 'no-verdict-now';
  return reasons.some((reason) => BETTER.includes(reason)) ? 'better' : 'changed';
}

function ofDuration(duration: DurationChange | undefined): Reason[] {
  const conclusion = duration?.conclusion;
  return conclusion === 'slower' || conclusion === 'faster' ? [conclusion] : [];
}

export interface AttemptsDiff
  extends Pick<CellDiff, 'reasons' | 'comparable' | 'appeared' | 'vanished' | 'failures'> {}

/** Compares verdicts, findings and failure rates. */
export function compareAttemptsFully(before: Attempts, after: Attempts): AttemptsDiff {
  const found = compareAttempts(before, after);
  const comparable = tells(before) && tells(after);
  // The variants may have the same name, so name them by side.
  const rate = rateOf({ ...before, variant: 'before' }, { ...after, variant: 'after' });
  const [old, young] = [countOf(before), countOf(after)];
  const appeared = found?.appeared ?? [];
  const vanished = (found?.vanished ?? []).map((one) => withChance(one, young.trials));
  const reasons = comparable
    ? reasonsOf({ old, young, rate, appeared, vanished })
    : withoutBoth(before, after);
  return { reasons, comparable, appeared, vanished, failures: rate ?? null };
}

function withoutBoth(before: Attempts, after: Attempts): Reason[] {
  if (!tells(after)) return [];
  if (countOf(after).hits > 0) return ['fails-now'];
  return tells(before) ? [] : ['verdict-now'];
}

function reasonsOf({
  old,
  young,
  rate,
  appeared,
  vanished,
}: {
  old: ReturnType<typeof countOf>;
  young: ReturnType<typeof countOf>;
  rate: RateComparison | undefined;
  appeared: Difference['appeared'];
  vanished: VanishedSignature[];
}): Reason[] {
  const reasons: Reason[] = [];
  if (old.hits === 0 && young.hits > 0) reasons.push('fails-now');
  if (appeared.some(isSerious)) reasons.push('new-finding');
  if (rate?.conclusion === 'fails-more') reasons.push('fails-more');
  // A few passes prove nothing about a test that failed only sometimes.
  const always = old.hits === old.trials;
  const fewer = rate?.conclusion === 'fails-less';
  if (old.hits > 0 && young.hits === 0 && (always || fewer)) reasons.push('passes-now');
  else if (fewer) reasons.push('fails-less');
  if (vanished.some((one) => isSerious(one) && !one.maybeChance)) reasons.push('finding-gone');
  return reasons;
}

function isSerious({ severity }: Pick<SignatureChange, 'severity'>): boolean {
  return severity !== 'notice';
}

function withChance(one: SignatureChange, trials: number): VanishedSignature {
  if (one.attempts === one.of) return { ...one, p: null, maybeChance: false };
  const p = fisherTest({ hits: one.attempts, trials: one.of }, { hits: 0, trials });
  return { ...one, p, maybeChance: p >= LEVEL };
}

function sideOf({ units, variant, verdict }: Attempts): SideOfCell {
  const attempts: SideOfCell['attempts'] = {};
  for (const unit of units) attempts[unit.verdict] = (attempts[unit.verdict] ?? 0) + 1;
  const kernels = [...new Set(units.map(({ kernel }) => kernel.spec))];
  return { variant, kernel: kernels.join(', '), verdict: verdict as Verdict, attempts };
}
