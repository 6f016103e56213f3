import { failure, type Outcome, success } from '../outcome.js';
import { runTool, type ToolOptions, type ToolResult } from './child.js';

/** The message for a program that fails. */
export interface ToolPurpose {
  /** What could not be done: `Cannot unpack the kernel`. */
  cannot: string;
  remedy?: string;
}

/** Runs a program whose failure counts as ours. Tells a full disk from the program's own errors. */
export async function tool(
  argv: readonly [string, ...string[]],
  purpose: ToolPurpose,
  options: ToolOptions = {},
): Promise<Outcome<ToolResult>> {
  return checkTool(argv[0], await runTool(argv, options), purpose);
}

/** The same check, for a program that has already run. */
export function checkTool(
  program: string,
  result: ToolResult,
  { cannot, remedy }: ToolPurpose,
): Outcome<ToolResult> {
  if (result.ok) return success(result);
  if (result.canceled) return failure('interrupted', `${cannot}: interrupted`, 'Start it again');
  if (result.exitCode === 127) {
    return failure(
      'program-missing',
      `${cannot}: this machine has no ${program}`,
      '`daxrepro setup` installs missing programs',
      { detail: tail(result.all) },
    );
  }
  const full = diskFull(result.all, cannot);
  if (full) return full;
  return failure(
    'tool-failed',
    `${cannot}: ${result.summary}`,
    remedy ?? "The program's output is above",
    { detail: tail(result.all) },
  );
}

/** The failure if a program's output says that the disk is full; else undefined. */
export function diskFull(output: string, cannot: string) {
  if (!/No space left on device|Disk quota exceeded/.test(output)) return undefined;
  return failure(
    'storage',
    `${cannot}: there is no space left on the device`,
    'Free some space (`daxrepro cache clean` removes what the cache holds), or set XDG_CACHE_HOME to a directory on another disk',
    { detail: tail(output) },
  );
}

/** The end of a program's output: the last 40 lines. */
export function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-40).join('\n');
}
