import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document, type Manual, USAGE_EXIT_CODE } from './manual.js';
import { additionalDeviceOptions, powerCutOptions, shared } from './shared-options.js';

/** `daxrepro compare`: its arguments and options. */
export function defineCompare(program: Command): void {
  const compare = program
    .command('compare')
    .summary('run variants of a kernel side by side')
    .description(
      'Runs variants × file systems × tests, and shows every verdict and every difference (A/B).\nA case file or options say what to compare.',
    );
  compareArguments(compare);
  for (const define of [untilKnown, guestOptions, outputOptions]) define(compare);
  compare.action(async (file, options) => {
    const { compareCommand } = await import('../commands/compare.js');
    await finish(compareCommand(file, options, process.argv.slice(2)));
  });
  document(compare, MANUAL);
}

/** The arguments and options that say what is compared. A planned comparison has them, too. */
export function compareArguments(compare: Command): void {
  compare.argument('[case.yaml]', 'variants, file systems, tests, and the expected results');
  for (const define of [cellOptions, kernelOptions, deviceOptions]) define(compare);
  for (const define of [additionalDeviceOptions, repeatOptions, powerCutOptions]) define(compare);
}

function cellOptions(compare: Command): void {
  compare
    .optionsGroup('Variants and tests:')
    .option('--base [variant]', 'the variant to compare the others with (default: unchanged)')
    .option(
      '--variant <variant>',
      'a variant: NAME=FILE,…, or a NAME from daxrepro.yaml (repeatable)',
      collect,
    )
    .option('--cumulative <series>', 'one variant per prefix of an mbox: 1 patch, 2 patches, …')
    .option('--fs <fs>', 'ext2, ext4 or xfs (repeatable)', collect)
    .option('--test <test>', 'a test, such as generic/002 (repeatable)', collect)
    .option('-g, --group <group>', 'all tests of a group (repeatable)', collect)
    .option(
      '--suite <suite>',
      `as for run; overrides the case file (default: ${RUN_DEFAULTS.suite})`,
    )
    .addOption(shared.suitePatch())
    .addOption(shared.together())
    .addOption(shared.withDirectory());
}

function kernelOptions(compare: Command): void {
  compare
    .optionsGroup('Kernel:')
    .option(
      '--kernel <spec>',
      `as for run; several are compared side by side; overrides the case file (repeatable; default: ${RUN_DEFAULTS.kernel})`,
      collect,
    )
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .addOption(shared.debug());
}

function deviceOptions(compare: Command): void {
  compare
    .optionsGroup('Persistent memory and file system:')
    .option('--pmem <kind>', `as for run (repeatable; default: ${RUN_DEFAULTS.pmem})`, collect)
    .addOption(shared.partition())
    .addOption(shared.stack())
    .addOption(shared.poison())
    .addOption(shared.control())
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'size of each device: 256M, 1G');
}

function repeatOptions(compare: Command): void {
  compare
    .optionsGroup('Repetition and time limits:')
    .option(
      '--timeout <time>',
      `time limit per test; overrides the case file (default: ${RUN_DEFAULTS.timeout})`,
    )
    .option('--repeat <n>', 'run each cell n times', RUN_DEFAULTS.repeat)
    .addOption(shared.runFor())
    .addOption(shared.seed());
}

function untilKnown(compare: Command): void {
  compare
    .optionsGroup('Repetition and time limits:')
    .option(
      '--until-known',
      'repeat until the failure rates differ significantly, at most --repeat times (320 without --repeat)',
    );
}

export function guestOptions(compare: Command): void {
  compare
    .optionsGroup('Guests:')
    .addOption(shared.jobs())
    .option('--cpus <n>', `CPUs per guest (default: ${RUN_DEFAULTS.cpus})`)
    .addOption(shared.memory())
    .addOption(shared.append())
    .addOption(shared.sysctl())
    .addOption(shared.accel())
    .addOption(shared.qemu())
    .addOption(shared.userland())
    .addOption(shared.e2fsprogs())
    .addOption(shared.xfsprogs())
    .addOption(shared.noCheckpoint());
}

function outputOptions(compare: Command): void {
  compare.addOption(shared.on());
  compare
    .optionsGroup('Output:')
    .addOption(shared.keepImages())
    .option(
      '--explain',
      'run each failure again with write-back tracing, to show why data was lost',
    )
    .option('--out <dir>', "directory for the run's directory")
    .option('--json', 'print the result as JSON on stdout')
    .option('--mail', 'print the result as plain text for mail, in 72 columns')
    .addOption(shared.replyTo())
    .addOption(shared.inReplyTo())
    .option('--dry-run', 'list the cells, and start nothing');
}

const MANUAL: Manual = {
  examples: [
    ['daxrepro compare case.yaml', 'run a case file, and check its expectations'],
    [
      'daxrepro compare --variant v2=v2.patch --fs ext2 --test generic/002 --mail',
      'a patch against the unchanged kernel, as text for mail',
    ],
    [
      'daxrepro compare --kernel debian:6.1 --kernel debian:6.12 --fs xfs -g auto',
      'two kernels side by side; with --variant, each variant on both',
    ],
    [
      'daxrepro compare --cumulative series.mbox --fs ext4 -g quick',
      'every prefix of a series: 1 patch, 2 patches, …',
    ],
    [
      'daxrepro compare --variant v2=v2.patch --fs ext2 --test generic/002 --until-known',
      'whether a patch changes how often a flaky test fails',
    ],
  ],
  details: `
A variant is a kernel with changes: patches, an mbox, or semantic patches (.cocci). Changes that only
touch fs/ext2, fs/ext4 or fs/xfs rebuild just that module. Any other change needs a full build, which
is announced before it starts. A case file overrides the environment and the project's daxrepro.yaml.`,
  options: {
    '--base': 'a NAME that is not in daxrepro.yaml becomes the name of the unchanged kernel',
    '--variant': 'separate files by commas; they are applied in order',
    '--until-known':
      "uses Fisher's exact test; the error probability over all interim tests is at most 5 %",
  },
  exitCodes: [
    ['0', 'every expectation of the case held; without expectations: every cell has a verdict'],
    ['1', 'an expectation did not hold'],
    USAGE_EXIT_CODE,
    ['3', 'a cell unexpectedly has no verdict (invalid, error), or nothing ran'],
    ['130', 'interrupted'],
  ],
};
