/** The suites to read for packages of one: experimental and backports hold only what differs from another. */
export function suitesFor(suite: string): string[] {
  if (suite === 'experimental' || suite === 'rc-buggy') return [suite, 'sid'];
  const base = suite.replace(/-(?:backports(?:-sloppy)?|updates|security|proposed-updates)$/, '');
  return base === suite ? [suite] : [suite, base];
}
