/** The mean seconds of the tests that are known, as which an unknown one counts; undefined if none is. */
export function meanOfKnown(seconds: readonly (number | undefined)[]): number | undefined {
  const known = seconds.filter((one) => one !== undefined);
  if (known.length === 0) return undefined;
  return known.reduce((sum, one) => sum + one, 0) / known.length;
}

/** The estimated seconds of all tests. */
export function estimateAll(seconds: readonly (number | undefined)[]): number | undefined {
  const mean = meanOfKnown(seconds);
  if (mean === undefined) return undefined;
  return seconds.reduce<number>((sum, one) => sum + (one ?? mean), 0);
}
