import { type AttemptsDiff, compareAttemptsFully } from '../diff/diff.js';
import { attemptsOf } from '../diff/sides.js';
import type { Severity } from '../findings/finding.js';
import { groupBy } from '../group-by.js';
import { layerWords } from '../guest/layers.js';
import type { UnitResult } from '../results/run-result.js';
import { type Proportion, proportion } from '../statistics/proportion.js';
import { BASE } from '../variant/variant.js';
import { VERDICTS, type Verdict } from '../verdict/judge.js';
import { version } from '../version.js';
import type { KeptHistory, LeftOut, PastRun } from './read.js';

/** Many runs over time: each test with its results in all of them. Pure. */

export interface History {
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  command: string[];
  directory: string;
  /** Oldest first. */
  runs: HistoryRun[];
  /** Failing ones first: in the order of `STATES`, then by the newest failure. */
  tests: HistoryTest[];
  /** What the newest run changed, compared with the run before that ran the same test. */
  news: News[];
  /** Directories that are not counted, with the reason. Untrusted text. */
  leftOut: LeftOut[];
}

export interface HistoryRun {
  name: string;
  directory: string;
  /** ISO 8601, UTC. */
  started: string;
  command: readonly string[];
  /** Releases, each once. */
  kernels: string[];
  counts: Counts;
}

export type Counts = Partial<Record<Verdict, number>>;

/** What distinguishes a test from others. */
export interface TestName {
  fs: string;
  suite: string;
  test: string;
  pmem: string;
  /** `a partition and dm-linear`; empty if nothing lies between. */
  layers: string;
  powerCut: boolean;
  control: boolean;
  variant: string;
  /** With `--by-kernel`, and in comparisons of several kernels: its spec; else null. */
  kernel: string | null;
}

/** The state of a test, by the newest run that ran it. */
export const STATES = [
  'failing',
  'no-verdict',
  'expected-failure',
  'failed-before',
  'passing',
  'notrun',
] as const;
export type State = (typeof STATES)[number];

export interface HistoryTest extends TestName {
  /** Its number in `tests`, from 0. */
  index: number;
  /** Names the test by what distinguishes it from the others. Untrusted text. */
  title: string;
  state: State;
  /** One for each run that ran it, oldest first. */
  results: TestInRun[];
  /** Attempts of all runs that failed, and those that passed or failed. */
  failed: number;
  decided: number;
  /** The failure rate; null if no attempt passed or failed. */
  failures: Proportion | null;
  /** Indices into `runs`; null if it never failed. */
  firstFailure: number | null;
  lastFailure: number | null;
  /** The reason of the newest result. Untrusted text. */
  reason: string;
  /** In failed attempts of all runs; the most recent first. */
  signatures: SignatureHistory[];
}

export interface TestInRun {
  /** An index into `runs`. */
  run: number;
  /** The worst verdict of its attempts. */
  verdict: Verdict;
  counts: Counts;
  /** Whether every failure was expected. */
  expected: boolean;
}

export interface SignatureHistory {
  signature: string;
  severity: Severity;
  /** Of the first one. Untrusted text. */
  message: string;
  /** Indices into `runs`, and the number of runs that showed it. */
  first: number;
  last: number;
  runs: number;
}

export interface News extends Pick<AttemptsDiff, 'reasons'> {
  /** Indices into `tests`, and into `runs`; before is null for a test that no earlier run ran. */
  test: number;
  before: number | null;
  verdicts: { before: Verdict | null; now: Verdict };
  kind: 'worse' | 'better' | 'no-verdict-now' | 'changed' | 'new';
  /** Findings that the run before did not have; `seenBefore`: an earlier one had. */
  appeared: { signature: string; severity: Severity; seenBefore: boolean }[];
  vanished: { signature: string; severity: Severity }[];
}

type Untitled = Omit<HistoryTest, 'index' | 'title'>;

interface Ran {
  run: number;
  units: readonly UnitResult[];
}

export function historyOf(
  { directory, runs, leftOut }: KeptHistory,
  { byKernel, command }: { byKernel: boolean; command: string[] },
): History {
  const rows = rowsOf(runs, byKernel);
  const sorted = [...rows.entries()]
    .map(([key, ran]) => ({ ran, test: testOf(JSON.parse(key) as TestName, ran) }))
    .sort((a, b) => compareTests(a.test, b.test));
  const titles = titlesOf(sorted.map(({ test }) => test));
  const tests = sorted.map(({ ran, test }, index) => ({
    ran,
    test: { ...test, index, title: titles[index] ?? '' },
  }));
  const newest = runs.length - 1;
  const news = tests.flatMap(({ ran, test }) => newsOf(ran, test, newest) ?? []);
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command,
    directory,
    runs: runs.map(describeRun),
    tests: tests.map(({ test }) => test),
    news: news.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind)),
    leftOut,
  };
}

function describeRun({ name, directory, started, command, units }: PastRun): HistoryRun {
  return {
    ...{ name, directory, command, started: started.toISOString() },
    kernels: [...new Set(units.map(({ kernel }) => kernel.release))],
    counts: countsOf(units),
  };
}

function countsOf(units: readonly UnitResult[]): Counts {
  const counts: Counts = {};
  for (const { verdict } of units) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}

/** The results of each test, by its name as JSON. */
function rowsOf(runs: readonly PastRun[], byKernel: boolean): Map<string, Ran[]> {
  const rows = new Map<string, Ran[]>();
  for (const [run, { units }] of runs.entries()) {
    for (const [key, own] of groupBy(units, (unit) => JSON.stringify(nameOf(unit, byKernel)))) {
      const row = rows.get(key) ?? [];
      row.push({ run, units: own });
      rows.set(key, row);
    }
  }
  return rows;
}

function nameOf(unit: UnitResult, byKernel: boolean): TestName {
  const { fs, suite, test, pmem, powerCut, control, variant, kernel } = unit;
  const layers = layerWords(unit) ?? '';
  return {
    ...{
      fs,
      suite: suite.name,
      test,
      pmem,
      layers,
      powerCut: powerCut !== undefined,
      control,
      variant,
    },
    kernel: kernel.asked ?? (byKernel ? kernel.spec : null),
  };
}

function testOf(name: TestName, ran: readonly Ran[]): Untitled {
  const results = ran.map(resultOf);
  const units = ran.flatMap((one) => one.units);
  const failed = units.filter(({ verdict }) => verdict === 'fail').length;
  const decided = failed + units.filter(({ verdict }) => verdict === 'pass').length;
  const failing = results.filter(({ counts }) => counts.fail !== undefined);
  const newest = ran.at(-1)?.units ?? [];
  const worst = results.at(-1)?.verdict;
  return {
    ...name,
    state: stateOf(results),
    results,
    ...{ failed, decided },
    failures: decided > 0 ? proportion(failed, decided) : null,
    firstFailure: failing[0]?.run ?? null,
    lastFailure: failing.at(-1)?.run ?? null,
    reason: newest.find(({ verdict }) => verdict === worst)?.reason ?? '',
    signatures: signaturesOf(ran),
  };
}

function resultOf({ run, units }: Ran): TestInRun {
  const failures = units.filter(({ verdict }) => verdict === 'fail');
  return {
    run,
    verdict: attemptsOf(units).verdict ?? 'error',
    counts: countsOf(units),
    expected: failures.length > 0 && failures.every(isExpected),
  };
}

/** By `--expected`, or by a comparison's case. */
function isExpected(unit: UnitResult & { expected?: unknown; held?: unknown }): boolean {
  const { expectedFailure, expected, held } = unit;
  return expectedFailure?.held ?? (expected !== undefined && expected !== null && held === true);
}

function stateOf(results: readonly TestInRun[]): State {
  const newest = results.at(-1);
  if (newest?.counts.fail !== undefined && !newest.expected) return 'failing';
  if (newest?.verdict === 'invalid' || newest?.verdict === 'error') return 'no-verdict';
  if (newest?.counts.fail !== undefined) return 'expected-failure';
  if (results.some(({ counts }) => counts.fail !== undefined)) return 'failed-before';
  return newest?.verdict === 'notrun' ? 'notrun' : 'passing';
}

function signaturesOf(ran: readonly Ran[]): SignatureHistory[] {
  const found = new Map<string, SignatureHistory>();
  for (const { run, units } of ran) {
    const failed = units.filter(({ verdict }) => verdict === 'fail');
    for (const { signature, severity, message } of failed.flatMap(({ findings }) => findings)) {
      const known = found.get(signature);
      if (!known)
        found.set(signature, { signature, severity, message, first: run, last: run, runs: 1 });
      else if (known.last !== run) Object.assign(known, { last: run, runs: known.runs + 1 });
    }
  }
  return [...found.values()].sort((a, b) => b.last - a.last || b.runs - a.runs);
}

function titlesOf(tests: readonly TestName[]): string[] {
  const alike = groupBy(tests, ({ fs, test }) => JSON.stringify([fs, test]));
  return tests.map((own) => {
    const others = alike.get(JSON.stringify([own.fs, own.test])) ?? [];
    const several = (key: 'suite' | 'pmem') => others.some((other) => other[key] !== own[key]);
    return [
      `${own.fs} ${own.test}`,
      ...(own.variant === BASE.name ? [] : [own.variant]),
      ...(several('suite') ? [own.suite] : []),
      ...(several('pmem') ? [own.pmem] : []),
      ...(own.layers === '' ? [] : [own.layers]),
      ...(own.powerCut ? ['with power cuts'] : []),
      ...(own.control ? ['without DAX'] : []),
      ...(own.kernel === null ? [] : [own.kernel]),
    ].join(', ');
  });
}

function compareTests(a: Untitled, b: Untitled): number {
  const states = STATES.indexOf(a.state) - STATES.indexOf(b.state);
  const recent = (b.lastFailure ?? -1) - (a.lastFailure ?? -1);
  return states || recent || order(a.fs, b.fs) || order(a.test, b.test);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const KINDS: readonly News['kind'][] = ['worse', 'no-verdict-now', 'better', 'changed', 'new'];

/** undefined if the newest run did not run the test, or if nothing changed. */
function newsOf(ran: readonly Ran[], test: HistoryTest, newest: number): News | undefined {
  const now = ran.at(-1);
  const before = ran.at(-2);
  if (now?.run !== newest) return undefined;
  return before ? changeOf(before, now, ran, test) : newTest(now, test);
}

function newTest(now: Ran, test: HistoryTest): News {
  const newest = test.results.at(-1);
  const failing = newest?.counts.fail !== undefined && !newest.expected;
  return {
    ...{ test: test.index, before: null, vanished: [] },
    verdicts: { before: null, now: newest?.verdict ?? 'error' },
    ...{ kind: failing ? 'worse' : 'new', reasons: failing ? ['fails-now'] : [] },
    appeared: findingsOf(now.units).map((one) => ({ ...one, seenBefore: false })),
  };
}

function changeOf(before: Ran, now: Ran, ran: readonly Ran[], test: HistoryTest): News | undefined {
  const [earlier, after] = [attemptsOf(before.units), attemptsOf(now.units)];
  const change = compareAttemptsFully(earlier, after);
  const verdicts = { before: earlier.verdict ?? 'error', now: after.verdict ?? 'error' };
  const kind = kindOf(change, verdicts);
  if (kind === undefined) return undefined;
  const past = ran.slice(0, -1).flatMap(({ units }) => findingsOf(units));
  const seen = new Set(past.map(({ signature }) => signature));
  return {
    ...{ test: test.index, before: before.run, verdicts, kind, reasons: change.reasons },
    appeared: change.appeared.map(({ signature, severity }) => ({
      ...{ signature, severity, seenBefore: seen.has(signature) },
    })),
    vanished: change.vanished
      .filter(({ maybeChance }) => !maybeChance)
      .map(({ signature, severity }) => ({ signature, severity })),
  };
}

function findingsOf(units: readonly UnitResult[]): { signature: string; severity: Severity }[] {
  const all = units.flatMap(({ findings }) => findings);
  return [...new Map(all.map((one) => [one.signature, one])).values()].map(
    ({ signature, severity }) => ({ signature, severity }),
  );
}

const WORSE = ['fails-now', 'fails-more', 'new-finding'];
const BETTER = ['passes-now', 'fails-less', 'finding-gone', 'verdict-now'];

function kindOf(
  { reasons, appeared, vanished }: AttemptsDiff,
  { before, now }: { before: Verdict; now: Verdict },
): News['kind'] | undefined {
  if (reasons.some((reason) => WORSE.includes(reason))) return 'worse';
  const decided = (verdict: Verdict) => verdict === 'pass' || verdict === 'fail';
  if (decided(before) && !decided(now)) return 'no-verdict-now';
  if (reasons.some((reason) => BETTER.includes(reason))) return 'better';
  const gone = vanished.filter(({ maybeChance }) => !maybeChance);
  if (before !== now || appeared.length + gone.length > 0) return 'changed';
  return undefined;
}

/** The verdicts in the order of reports. */
export function listCounts(counts: Counts): string {
  return VERDICTS.flatMap((one) => (counts[one] ? [`${counts[one]} ${one}`] : [])).join(', ');
}
