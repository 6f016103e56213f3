/** Makes the command that repeats a run of a bisection. */

/**
 * @param command as made by `replayCommand`, for a kernel that `run` can name
 * @param by the command that runs it, and the options that name the kernel
 */
export function replayOf(
  command: string,
  { command: name, options }: { command: 'bisect run' | 'run'; options: string },
): string {
  const own =
    name === 'run'
      ? command
      : command
          .replace('daxrepro run', 'daxrepro bisect run')
          .replace(/ --kernel (?:'[^']*'|\S+)/, '');
  return [own, options].filter(Boolean).join(' ');
}
