/**
 * Whether a kernel is at least this version, by its release (`6.1.0-56-amd64`). A release without a
 * number counts as newer than any version.
 */
export function atLeast(release: string, major: number, minor: number): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (!match) return true;
  const [ofMajor, ofMinor] = [Number(match[1]), Number(match[2])];
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}
