/**
 * Whether a kernel is this version or a newer one, by its release (`6.1.0-56-amd64`). One whose
 * release has no number is taken to be newer than any.
 */
export function atLeast(release: string, major: number, minor: number): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (!match) return true;
  const [ofMajor, ofMinor] = [Number(match[1]), Number(match[2])];
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}
