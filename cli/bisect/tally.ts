import type { BisectionPlan } from './plan.js';
import type { Tally } from './policy.js';
import type { BuildRuns } from './posterior.js';
import type { BisectionState } from './state.js';

/** Counts runs and builds for the policy. Pure. */

/** A build is untestable after this many unknown runs, if they are the majority of its runs. */
const MOST_UNKNOWN = 2;

/** @param expected the running builds, with their likely outcomes */
export function tallyOf(
  { builds }: BisectionPlan,
  state: Pick<BisectionState, 'runs' | 'builds'>,
  expected: readonly { build: number; fails: boolean }[] = [],
): Tally {
  const place = new Map(builds.map(({ content }, at) => [content, at]));
  const runs: (BuildRuns | undefined)[] = builds.map(() => undefined);
  const unknown = builds.map(() => 0);
  const count = (build: number, fails: boolean) => {
    const { passes, failures } = runs[build] ?? { passes: 0, failures: 0 };
    runs[build] = fails ? { passes, failures: failures + 1 } : { passes: passes + 1, failures };
  };
  for (const { content, outcome } of state.runs) {
    const build = place.get(content);
    if (build === undefined) continue;
    if (outcome === 'unknown') unknown[build] = (unknown[build] ?? 0) + 1;
    else count(build, outcome === 'bad');
  }
  const untestable = new Set<number>();
  for (const { content, ok } of state.builds) {
    const build = place.get(content);
    if (!ok && build !== undefined) untestable.add(build);
  }
  for (const [build, times] of unknown.entries()) {
    const { passes = 0, failures = 0 } = runs[build] ?? {};
    if (times >= MOST_UNKNOWN && times > passes + failures) untestable.add(build);
  }
  for (const { build, fails } of expected) count(build, fails);
  return { runs, untestable };
}
