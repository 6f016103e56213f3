import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document, USAGE_EXIT_CODE } from './manual.js';
import { additionalDeviceOptions, powerCutOptions, shared } from './shared-options.js';

const EXAMPLE: [string, string] = [
  'daxrepro case new lost-rename --patch fix.patch --test ./repro.sh --fs ext4',
  'from a mail to a case',
];

/** `daxrepro case new`: its arguments and options. */
export function defineCase(program: Command): void {
  const group = program
    .command('case')
    .summary('write a case file')
    .description('Writes case files for `daxrepro compare`.');
  const command = group
    .command('new')
    .summary('write a case from a reproducer and a fix')
    .description(
      'Runs a test on the unchanged kernel and with a fix, once. If the first fails and the second passes, writes a case file that says so.',
    )
    .argument('<name>', 'the case file: NAME.yaml')
    .option('--patch <file>', 'the fix, as for run (repeatable)', collect)
    .option('--test <test>', 'a file of your own, or a test id (repeatable)', collect)
    .option('--fs <fs>', 'ext2, ext4 or xfs (repeatable)', collect)
    .option('--title <title>', 'one line for reports (default: the name)')
    .option('--kernel <spec>', 'as for run', RUN_DEFAULTS.kernel)
    .option('--suite <suite>', 'as for run')
    .addOption(shared.suitePatch())
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .addOption(shared.debug())
    .option('--pmem <kind>', 'as for run (repeatable)', collect)
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'size of each device')
    .option('--timeout <time>', 'time limit per test')
    .addOption(shared.withDirectory())
    .addOption(shared.runFor())
    .addOption(shared.memory())
    .addOption(shared.append())
    .addOption(shared.sysctl());
  additionalDeviceOptions(command);
  powerCutOptions(command);
  command
    .option('--repeat <n>', 'attempts per cell', RUN_DEFAULTS.repeat)
    .addOption(shared.jobs())
    .addOption(shared.accel())
    .addOption(shared.keepImages())
    .addOption(shared.noCheckpoint())
    .option('--out <dir>', "directory for the run's directory")
    .action(async (name, options) => {
      const { newCaseCommand } = await import('../commands/case-new.js');
      await finish(newCaseCommand(name, options, process.argv.slice(2)));
    });
  document(group, { examples: [EXAMPLE] });
  document(command, {
    examples: [EXAMPLE],
    details: `The case expects the unchanged kernel to fail with the finding that was seen, and the fix to pass. Paths
      in the file are relative to it. An existing file is never overwritten.`,
    exitCodes: [
      ['0', 'the case was written'],
      ['1', 'the unchanged kernel does not fail, or the fix does not pass: no case was written'],
      USAGE_EXIT_CODE,
      ['3', 'a unit has no verdict: no case was written'],
      ['130', 'interrupted'],
    ],
  });
}
