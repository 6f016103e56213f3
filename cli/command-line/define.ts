/** What the definitions of commands have in common. */

/** Of an option that may be given several times: all its values. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** A command's promise of an exit code becomes ours. */
export async function finish(code: Promise<number>): Promise<void> {
  process.exitCode = await code;
}
