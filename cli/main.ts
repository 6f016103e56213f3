#!/usr/bin/env node
import { CommanderError } from 'commander';
import { commandLine } from './command-line/program.js';
import { applyConfiguration } from './configuration/apply.js';
import { EXIT, STOP_BISECTION } from './outcome.js';
import { endWithoutReader } from './process/streams.js';
import { systemPath } from './system/programs.js';
import { version } from './version.js';

/**
 * The program: the commands' definitions are in `command-line/`; what a command does is in
 * `commands/`, loaded only when it is asked for: `daxrepro --version` pays for nothing else. Each
 * command returns its exit code.
 */

// In a step of `git bisect run` every code below 128 but 125 says good or bad of a commit: whatever
// ends us otherwise than by a verdict, a bug of ours included, has to stop the bisection.
const isStep = process.argv[2] === 'bisect' && process.argv[3] === 'run';
if (isStep) {
  process.exitCode = STOP_BISECTION;
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${error.stack ?? error}\n`);
    process.exit(STOP_BISECTION);
  });
}

// Users' PATH lacks the directories of e2fsck and depmod on some systems.
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
  // Commander has printed it. Help and version are no errors; all else is a usage error.
  process.exitCode = isStep ? STOP_BISECTION : error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
