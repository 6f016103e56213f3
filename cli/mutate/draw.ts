import { groupBy } from '../group-by.js';
import type { MutantPlace } from '../results/mutation-result.js';
import { sha256Of } from '../sha256.js';

/**
 * The order in which places become mutants: one of each operator in turn, so that a small sample has all kinds. The
 * seed decides the order within an operator. A place keeps its rank among those that remain if others are removed.
 */
export function drawOrder(places: readonly MutantPlace[], seed: number): MutantPlace[] {
  const groups = [...groupBy(places, ({ operator }) => operator).values()].map((group) =>
    group
      .map((place) => ({ place, rank: rankOf(place, seed) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      .map(({ place }) => place),
  );
  const longest = Math.max(0, ...groups.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) =>
    groups.flatMap((group) => group[turn] ?? []),
  ).flat();
}

function rankOf({ operator, file, line, column }: MutantPlace, seed: number): string {
  return sha256Of(`${seed} ${operator} ${file}:${line}:${column}`);
}
