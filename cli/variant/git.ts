import { failure } from '../outcome.js';
import { runTool, type ToolResult } from '../process/child.js';

/**
 * Runs git on patches and mails outside any repository, so that no repository or user configuration
 * can interfere, for example with line ends.
 */
export function git(
  argv: readonly string[],
  cwd: string,
  signal?: AbortSignal,
  /** Standard input comes from a file, because mails need not be UTF-8. */
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
