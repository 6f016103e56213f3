import { failure } from '../outcome.js';
import { runTool, type ToolResult } from '../process/child.js';

/**
 * git as a tool for patches and mails, outside of any repository: neither one that we happen to be
 * in nor its user's configuration may have a say, for example about line ends.
 */
export function git(
  argv: readonly string[],
  cwd: string,
  signal?: AbortSignal,
  /** A file for its standard input: mails need not be in UTF-8. */
  input?: string,
): Promise<ToolResult> {
  const command: [string, ...string[]] = ['git', ...argv];
  return runTool(
    input === undefined ? command : ['sh', '-c', 'exec "$@" <"$0"', input, ...command],
    {
      cwd,
      env: {
        LC_ALL: 'C',
        GIT_DIR: '/dev/null',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
      },
      ...(signal ? { signal } : {}),
    },
  );
}

export function gitMissing() {
  return failure('program-missing', 'This machine has no git', '`daxrepro setup` installs it');
}
