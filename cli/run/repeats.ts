import { groupBy } from '../group-by.js';
import type { Repeats, UnitResult } from '../results/run-result.js';
import { proportion } from '../statistics/proportion.js';

/** Counts the results of each test with several attempts, in the order they ran. */
export function countRepeats(units: readonly UnitResult[]): Repeats[] {
  const groups = groupBy(units, ({ fs, test, variant, pmem, powerCut, kernel }) =>
    JSON.stringify([fs, test, variant, pmem, powerCut !== undefined, kernel.asked]),
  );
  return [...groups.values()].filter((group) => group.length > 1).map(count);
}

function count(group: UnitResult[]): Repeats {
  const [{ fs, test, variant, pmem, powerCut, kernel }] = group as [UnitResult];
  const counts: Repeats['counts'] = {};
  for (const { verdict } of group) counts[verdict] = (counts[verdict] ?? 0) + 1;
  const { pass = 0, fail = 0 } = counts;
  const failures = pass + fail > 0 ? proportion(fail, pass + fail) : undefined;
  return {
    ...{ fs, test, variant, pmem, powerCut: powerCut !== undefined },
    ...(kernel.asked === undefined ? {} : { kernel: kernel.asked }),
    ...{ counts, failures },
  };
}
