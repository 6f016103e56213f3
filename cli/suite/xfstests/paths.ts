/** What the files of an xfstests tree are, by their paths. */

/** Files that are used as they are: tests, the functions that they read, scripts. */
const USED_AS_IT_IS = [
  /^(?:tests|common)\/(?!.*\/?Makefile$)/,
  /^src\/(?:[\w-]+\/)*[\w.-]+\.(?:sh|pl|py|awk)$/,
  /^(?:check|new|VERSION|README[\w.-]*|MAINTAINERS|randomize\.awk)$/,
  /^(?:doc|LICENSES|configs)\//,
];

/** Whether the tree's build makes something of it: sources, make files, the configuration. */
export function needsBuild(path: string): boolean {
  return !USED_AS_IT_IS.some((one) => one.test(path));
}

/** The id of the test that a path is the script of. */
export function testOf(path: string): string | undefined {
  return /^tests\/([\w-]+\/\d{3}[-\w]*)$/.exec(path)?.[1];
}
