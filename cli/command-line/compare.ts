import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro compare`: its arguments and options. */
export function defineCompare(program: Command): void {
  const compare = program
    .command('compare')
    .summary('run variants of a kernel side by side')
    .description(
      'Runs variants × file systems × tests, and shows each verdict and what differs (A/B).\nWhat is compared stands in a case file, or in flags.',
    )
    .argument('[case.yaml]', 'variants, file systems, tests, and what is expected of them')
    .optionsGroup('What is compared:')
    .option('--base [variant]', 'the variant that others are compared with (default: unchanged)')
    .option(
      '--variant <variant>',
      'a variant: NAME=FILE,…, or one of daxrepro.yaml (repeatable)',
      collect,
    )
    .option('--cumulative <series>', 'a variant for each prefix of an mbox: 1 patch, 2 patches, …')
    .option('--fs <fs>', 'ext2, ext4 or xfs (repeatable)', collect)
    .option('--test <test>', 'a test, such as generic/002 (repeatable)', collect)
    .option('-g, --group <group>', 'all tests of a group (repeatable)', collect)
    .optionsGroup('Kernel:')
    .option(
      '--kernel <spec>',
      `as for run; goes before the case's (default: ${RUN_DEFAULTS.kernel})`,
    )
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .optionsGroup('Persistent memory and file system:')
    .option('--pmem <kind>', `as for run (repeatable; default: ${RUN_DEFAULTS.pmem})`, collect)
    .addOption(shared.control())
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'of each device: 256M, 1G')
    .optionsGroup('What is compared:')
    .option(
      '--suite <suite>',
      `as for run; goes before the case's (default: ${RUN_DEFAULTS.suite})`,
    )
    .addOption(shared.together())
    .optionsGroup('How often and how long:')
    .option(
      '--timeout <time>',
      `for each test; goes before the case's (default: ${RUN_DEFAULTS.timeout})`,
    )
    .option('--repeat <n>', 'times to run each cell', RUN_DEFAULTS.repeat)
    .option(
      '--until-known',
      'repeat until failure rates are told apart (without --repeat: 320 times at most)',
    )
    .addOption(shared.seed())
    .optionsGroup('Power cuts:')
    .addOption(shared.powerCut())
    .addOption(shared.cuts())
    .addOption(shared.cutStates())
    .optionsGroup('Guests:')
    .addOption(shared.jobs())
    .addOption(shared.accel())
    .optionsGroup('What is printed and kept:')
    .addOption(shared.keepImages())
    .option('--explain', 'run what fails once more, with write-back traced: why it was not written')
    .optionsGroup('Guests:')
    .addOption(shared.noCheckpoint())
    .optionsGroup('What is printed and kept:')
    .option('--out <dir>', "where the run's directory goes")
    .option('--json', 'the result as JSON on stdout')
    .option('--mail', 'the result as plain text for a mail, under 75 columns')
    .option('--dry-run', 'list the cells, and start nothing')
    .action(async (file, options) => {
      const { compareCommand } = await import('../commands/compare.js');
      await finish(compareCommand(file, options, process.argv.slice(2)));
    });
  document(compare, {
    examples: [
      ['daxrepro compare case.yaml', 'what a case file says, and whether it comes out as expected'],
      [
        'daxrepro compare --variant v2=v2.patch --fs ext2 --test generic/002 --mail',
        'a patch against the kernel as it is, as text for a mail',
      ],
      [
        'daxrepro compare --cumulative series.mbox --fs ext4 -g quick',
        'each prefix of a series: 1 patch, 2 patches, …',
      ],
      [
        'daxrepro compare --variant v2=v2.patch --fs ext2 --test generic/002 --until-known',
        'whether it fails more or less often, of what fails only sometimes',
      ],
    ],
    details: `
A variant is a kernel with changes: patches, an mbox, or semantic patches (.cocci). Of a change to
fs/ext2, fs/ext4 or fs/xfs alone only that module is built; any other takes a full build, which is
said before it begins. A case file goes before the environment and the project's daxrepro.yaml.`,
    options: {
      '--base': 'a NAME that daxrepro.yaml does not have is another name for the unchanged kernel',
      '--variant': 'commas separate files, which are applied in order',
      '--until-known': "by Fisher's exact test; the levels of all looks are 5 % in sum",
    },
    exitCodes: [
      ['0', 'every expectation of the case held; where none is: every cell has a verdict'],
      ['1', 'an expectation was missed'],
      ['2', 'wrong usage or configuration, with the place and the fix'],
      ['3', 'a cell has no verdict (invalid, error) that the case does not expect, or nothing ran'],
      ['130', 'interrupted'],
    ],
  });
}
