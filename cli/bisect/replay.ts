/** How a run of a bisection is run again. */

/**
 * @param command as `replayCommand` makes it for a kernel that `run` can name
 * @param by what runs it here, and the options that name the kernel
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
