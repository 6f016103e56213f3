#!/usr/bin/env node
import { CommanderError } from 'commander';
import { commandLine } from './command-line/program.js';
import { applyConfiguration } from './configuration/apply.js';
import { EXIT, STOP_BISECTION } from './outcome.js';
import { endWithoutReader } from './process/streams.js';
import { systemPath } from './system/programs.js';
import { version } from './version.js';

/**
 * The program. `command-line/` defines the commands. `commands/` runs them, and is loaded only when
 * needed, so that `daxrepro --version` stays fast. Each command returns its exit code.
 */

// `git bisect run` takes every exit code below 128 except 125 for good or bad. Without a verdict, even
// after a bug of ours, the step has to stop the bisection.
const isStep = process.argv[2] === 'bisect' && process.argv[3] === 'run';
if (isStep) {
  process.exitCode = STOP_BISECTION;
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${error.stack ?? error}\n`);
    process.exit(STOP_BISECTION);
  });
}

// On some systems the users' PATH lacks the directories of e2fsck and depmod.
process.env['PATH'] = systemPath();

const program = commandLine(version());

endWithoutReader();

program.hook('preAction', async (_, command) => {
  const code = await applyConfiguration(command);
  if (code !== undefined) process.exit(isStep ? STOP_BISECTION : code);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed it. Apart from help and version it is a usage error.
  process.exitCode = isStep ? STOP_BISECTION : error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
