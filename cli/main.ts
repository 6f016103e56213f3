#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { defineBisect } from './command-line/bisect.js';
import { defineCache } from './command-line/cache.js';
import { defineCompare } from './command-line/compare.js';
import { defineDoctor } from './command-line/doctor.js';
import { defineFsck } from './command-line/fsck.js';
import { defineKernel } from './command-line/kernel.js';
import { defineList } from './command-line/list.js';
import { defineRun } from './command-line/run.js';
import { defineSetup } from './command-line/setup.js';
import { applyConfiguration } from './configuration/apply.js';
import { EXIT, STOP_BISECTION } from './outcome.js';
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

const program = new Command('daxrepro')
  .description(
    'Boots QEMU guests with emulated persistent memory, runs tests on ext2, ext4 and xfs mounted\nwith -o dax, and gives a verdict that is true, or none.',
  )
  .version(version())
  // A subcommand's options are its own, though its parent has options of the same names.
  .enablePositionalOptions()
  .showSuggestionAfterError()
  .showHelpAfterError('(--help shows what there is)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  daxrepro run ext2 generic/002           one test, on the packaged 6.1 kernel
  daxrepro run xfs -g dax --pmem nvdimm   a group of tests, on NVDIMMs
  daxrepro run ext4 generic/002 --json    for scripts: one JSON document on stdout
  daxrepro compare case.yaml              variants of a kernel side by side
  daxrepro bisect ext2 generic/002 --series v2.mbox   the first bad patch, or commit
  daxrepro fsck e2fsck.log                the findings in a log from anywhere

Exit codes: 0 all passed, 1 something failed, 2 usage, 3 no verdict, 130 interrupted.`,
  );

// In the order of `--help`.
for (const define of [
  defineRun,
  defineCompare,
  defineBisect,
  defineList,
  defineFsck,
  defineKernel,
  defineCache,
  defineDoctor,
  defineSetup,
]) {
  define(program);
}

// Whoever reads us may have enough: `daxrepro list | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

for (const command of program.commands) {
  if (!['run', 'compare', 'list'].includes(command.name())) continue;
  command.hook('preAction', async () => {
    const code = await applyConfiguration(command);
    if (code !== undefined) process.exit(code);
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed it. Help and version are no errors; all else is a usage error.
  process.exitCode = isStep ? STOP_BISECTION : error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
