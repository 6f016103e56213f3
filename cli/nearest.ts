/** With more differences it counts as another word. */
const FARTHEST = 3;

/** The known names most similar to an unknown one, at most three. A third of the name may differ. */
export function nearest(name: string, known: readonly string[]): string[] {
  // The last part of an id may be enough.
  const distances = known.map((candidate) => ({
    candidate,
    distance: Math.min(
      editDistance(name, candidate),
      editDistance(name, candidate.slice(candidate.lastIndexOf('/') + 1)),
    ),
  }));
  const limit = Math.min(FARTHEST, Math.ceil(name.length / 3));
  const best = Math.min(limit, ...distances.map(({ distance }) => distance));
  return distances
    .filter(({ distance }) => distance === best)
    .map(({ candidate }) => candidate)
    .slice(0, 3);
}

/** Counts letters added, removed, changed, or swapped with their neighbour. */
export function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > FARTHEST) return FARTHEST + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(above, column) + 1,
        at(current, column - 1) + 1,
        at(above, column - 1) + (same ? 0 : 1),
        swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, above] = [above, current];
  }
  return at(above, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
