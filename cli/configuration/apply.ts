import type { Command } from 'commander';
import { EXIT, formatFailure } from '../outcome.js';
import { findConfiguration } from './find.js';

/** What a comparison's file says goes before the project's configuration. */
const CASE_SAYS = ['kernel', 'pmem', 'timeout', 'suite'];

/**
 * Gives a command's options the values of the project's configuration, where the command line says
 * nothing; before the command acts.
 *
 * @returns the exit code where the file is wrong, which has been said then
 */
export async function applyConfiguration(command: Command): Promise<number | undefined> {
  const file = findConfiguration();
  if (file === undefined) return undefined;
  const { readConfiguration } = await import('./configuration.js');
  const read = await readConfiguration(file);
  if (!read.ok) {
    process.stderr.write(`${formatFailure(read.failure)}\n`);
    return EXIT.usage;
  }
  const configured: string[] = [];
  for (const [name, value] of Object.entries(read.value.values)) {
    const option = command.options.find((one) => one.attributeName() === name);
    const source = command.getOptionValueSource(name);
    if (!option || source === 'cli') {
      configured.push(name);
      continue;
    }
    if (command.name() === 'compare' && command.args.length > 0 && CASE_SAYS.includes(name))
      continue;
    const isList = option.parseArg !== undefined && !Array.isArray(value);
    command.setOptionValueWithSource(name, isList ? [value] : value, 'config');
    configured.push(name);
  }
  // Not an option that anybody can give: a replay names these, since elsewhere they are otherwise.
  command.setOptionValueWithSource('configured', configured, 'config');
  return undefined;
}
