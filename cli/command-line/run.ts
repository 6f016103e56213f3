import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document, type Manual, RUN_EXIT_CODES } from './manual.js';
import { additionalDeviceOptions, powerCutOptions, shared } from './shared-options.js';

/** `daxrepro run`: its arguments and options. */
export function defineRun(program: Command): void {
  const run = program
    .command('run')
    .summary('run tests on one kernel')
    .description('Runs tests on one kernel and one file system, each test in its own guest.');
  runArguments(run);
  for (const define of [repeatOptions, openEndOptions, guestOptions, outputOptions]) define(run);
  run.action(async (fs, tests, options) => {
    const { runCommand } = await import('../commands/run.js');
    await finish(runCommand(fs, tests, options, process.argv.slice(2)));
  });
  document(run, MANUAL);
}

/** The arguments and options that say what runs. A planned run has them, too. */
export function runArguments(run: Command): void {
  run
    .argument('[fs]', 'ext2, ext4 or xfs')
    .argument(
      '[test...]',
      'test ids, such as generic/002 (`daxrepro list` shows them), or files of your own: ./repro.sh, repro.c, job.fio',
    );
  for (const define of [testOptions, kernelOptions, deviceOptions]) define(run);
  for (const define of [additionalDeviceOptions, powerCutOptions]) define(run);
}

function testOptions(run: Command): void {
  run
    .optionsGroup('Tests:')
    .option('-g, --group <group>', 'run all tests of a group (repeatable)', collect)
    .option(
      '--suite <suite>',
      'builtin, the directory of a built xfstests tree, or xfstests (the installed one)',
      RUN_DEFAULTS.suite,
    )
    .addOption(shared.suitePatch())
    .addOption(shared.exclude())
    .addOption(shared.excludeFile())
    .addOption(shared.excludeGroup())
    .addOption(shared.together())
    .addOption(shared.withDirectory())
    .option(
      '--expected <file>',
      'a list of expected failures, with reasons (YAML, or tests on lines)',
    );
}

function kernelOptions(run: Command): void {
  run
    .optionsGroup('Kernel:')
    .option(
      '--kernel <spec>',
      'debian:6.1 (5.10, 6.12, 7.2, …), debian:SUITE, debsrc:6.1, src:DIR[@REV], image:BZIMAGE[,MODULES-DIR], or host',
      RUN_DEFAULTS.kernel,
    )
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .addOption(shared.debug())
    .addOption(shared.patch())
    .option('--variant <variant>', 'named changes: NAME=FILE,…, or a NAME from daxrepro.yaml')
    .addOption(shared.steps());
}

function deviceOptions(run: Command): void {
  run
    .optionsGroup('Persistent memory and file system:')
    .addOption(shared.pmem())
    .addOption(shared.partition())
    .addOption(shared.stack())
    .addOption(shared.poison())
    .addOption(shared.control())
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'size of each device: 256M, 1G (default: 256M; 512M for xfs)');
}

export function repeatOptions(run: Command): void {
  run
    .optionsGroup('Repetition and time limits:')
    .option(
      '--timeout <time>',
      `time limit per test: 90, 5m (default: ${RUN_DEFAULTS.timeout}; 15m for xfstests)`,
    )
    .addOption(shared.runFor())
    .option('--repeat <n>', 'run each test n times', RUN_DEFAULTS.repeat)
    .addOption(shared.seed());
}

/** Options with which results decide what runs next. */
function openEndOptions(run: Command): void {
  run
    .option(
      '--until-fail',
      'repeat until a test fails, at most --repeat times (1000 without --repeat)',
    )
    .option('--soak <time>', 'repeat for this time: 30m, 8h')
    .option('--rerun-failures <run>', 'run the units of a run again that failed or had no verdict');
}

export function guestOptions(run: Command): void {
  run
    .optionsGroup('Guests:')
    .addOption(shared.jobs())
    .option('--cpus <n>', 'CPUs per guest', RUN_DEFAULTS.cpus)
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

function outputOptions(run: Command): void {
  run.addOption(shared.on());
  run.addOption(shared.record());
  run
    .optionsGroup('Output:')
    .addOption(shared.keepImages())
    .option(
      '--explain',
      'run each failure again with write-back tracing, to show why data was lost',
    )
    .option('--out <dir>', "directory for the run's directory")
    .option('--json', 'print the result as JSON on stdout')
    .option('--dry-run', 'print the QEMU command line of a booting guest, and start nothing');
}

const MANUAL: Manual = {
  examples: [
    ['daxrepro run ext2 generic/002', 'one test, on the packaged 6.1 kernel'],
    ['daxrepro run xfs -g dax --pmem nvdimm', 'a group of tests, on NVDIMMs'],
    ['daxrepro run ext2 generic/002 --patch fix.patch', 'with a patch, an mbox or a .cocci file'],
    ['daxrepro run ext4 generic/002 --kernel debian:6.12 --repeat 20', 'measure a failure rate'],
    ['daxrepro run ext4 -g power-cut --power-cut', 'check what survives power cuts'],
    [
      'daxrepro run ext4 -g quick --suite ~/xfstests-dev --together',
      'tests of a real xfstests tree',
    ],
    ['daxrepro run ext4 ./race.sh --until-fail --record', 'catch a rare failure, to replay it'],
    ['daxrepro run xfs -g dax --xfsprogs ~/src/xfsprogs-dev', 'with your own xfs_repair'],
    ['daxrepro run ext2 generic/002 --json', 'one JSON document on stdout'],
  ],
  details: `
Each test gets a verdict. pass: the test ran to its end, DAX was proven in use through the named
driver, and nothing was found. fail: the same, but the test failed or a check found damage. invalid:
the test ran, but not on what you asked for, for example with DAX silently off. notrun: the test does
not apply here. error: no verdict could be reached.`,
  options: {
    '--kernel':
      "debian:X.Y is Debian's package, downloaded once; debian:SUITE is the newest one of a suite; debian:X.Y=VERSION is one version of the package; debsrc:X.Y is a full build of Debian's source; src:DIR[@REV] is a full build of your tree, which stays untouched; `daxrepro kernel list` shows them all",
    '--patch':
      'patches that only touch fs/ext2, fs/ext4 or fs/xfs rebuild just that module; others need a full build',
    '--pmem':
      'memmap reserves guest RAM as persistent memory (memmap=); nvdimm has fsdax namespaces; none is two ordinary disks',
    '--control': 'shows whether a failure depends on DAX',
    '--suite':
      'the tree is repacked only when it changes; DAXREPRO_XFSTESTS names the directory of the installed one',
    '--together': 'each test still gets its own verdict; after a failure the rest get a new guest',
    '--power-cut':
      'the file system must keep what fsync, msync and other sync calls promised, whatever else was still in caches; tests of -g power-cut declare their promises, in other tests the sync calls are observed; needs emulation and QEMU 10 (`daxrepro setup --power-cut`)',
    '--cut-states':
      'two more images per cut are always checked: none of the unflushed data survives, and all of it does',
    '--repeat': 'each attempt gets its own guest and verdict; attempts are counted, never merged',
    '--record':
      'a failure can then be replayed instruction by instruction (`daxrepro replay RUN#N --exact`); needs emulation, one CPU and --pmem memmap or nvdimm; records of units that pass are removed at once',
    '--seed':
      'the same seed gives similar runs, not identical ones: timing in the guest still varies',
    '--keep-images': 'images are saved as image-*.tar.gz beside the logs, before any repair',
    '--no-checkpoint': 'slower; for bugs that need a fresh boot',
    '--out': 'default: ~/.local/state/daxrepro/runs',
  },
  exitCodes: RUN_EXIT_CODES,
};
