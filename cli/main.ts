#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { EXIT } from './outcome.js';
import { version } from './version.js';

/**
 * The command line's shape. What a command does is in `commands/`, loaded only when it is asked
 * for: `daxrepro --version` pays for nothing else.
 */

const program = new Command('daxrepro')
  .description('Reproduce DAX file-system bugs: a verdict that is true, or none.')
  .version(version())
  .showHelpAfterError('(see --help)')
  .showSuggestionAfterError()
  .exitOverride();

// Subcommands inherit exitOverride only when they are made after it is set.

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed it. Help and version are no errors; all else is a usage error.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
