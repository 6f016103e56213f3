/** Helpers that the definitions of commands share. */

/** Collects all values of a repeatable option. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** Sets our exit code to the command's. */
export async function finish(code: Promise<number>): Promise<void> {
  process.exitCode = await code;
}
