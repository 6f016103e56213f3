/** The estimated seconds of all tests. An unknown test counts as the mean of the known ones. */
export function estimateAll(seconds: readonly (number | undefined)[]): number | undefined {
  const known = seconds.filter((one) => one !== undefined);
  if (known.length === 0) return undefined;
  const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
  return seconds.reduce<number>((sum, one) => sum + (one ?? mean), 0);
}
