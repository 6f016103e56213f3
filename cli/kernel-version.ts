/**
 * Compares a version with a limit, number by number: negative if older, 0 if equal, positive if
 * newer. Only as many numbers count as the limit has, so `6.1.192` equals `6.1`. Text after the
 * numbers (`-56-amd64`, `-rc3`) does not count. undefined if the version does not begin with a
 * number.
 *
 * For kernel releases (`uname -r`) and versions of the C library. apt orders Debian packages.
 */
export function compareVersions(version: string, limit: string): number | undefined {
  const leading = /^\d+(?:\.\d+)*/.exec(version)?.[0];
  if (leading === undefined) return undefined;
  const numbers = leading.split('.').map(Number);
  for (const [index, part] of limit.split('.').map(Number).entries()) {
    const difference = (numbers[index] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Whether a kernel release is at least the limit. A release that does not begin with a number
 * counts as new.
 */
export function atLeast(release: string, limit: string): boolean {
  return (compareVersions(release, limit) ?? 1) >= 0;
}
