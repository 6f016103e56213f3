#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { applyConfiguration } from './configuration/apply.js';
import { EXIT, STOP_BISECTION } from './outcome.js';
import { RUN_DEFAULTS } from './run/defaults.js';
import { systemPath } from './system/programs.js';
import { version } from './version.js';

/**
 * The command line's shape. What a command does is in `commands/`, loaded only when it is asked
 * for: `daxrepro --version` pays for nothing else. Each command returns its exit code.
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

program
  .command('run')
  .summary('run tests on one kernel')
  .description('Runs tests of the suite on one kernel and one file system, each in its own guest.')
  .argument('<fs>', 'ext2, ext4 or xfs')
  .argument('[test...]', 'ids of tests, such as generic/002; `daxrepro list` shows them')
  .option('-g, --group <name>', 'all tests of a group (repeatable)', collect)
  .option(
    '--kernel <spec>',
    'debian:6.1 (5.10, 6.12), debsrc:6.1, src:DIR[@REV], image:BZIMAGE[,MODULES-DIR], or host',
    RUN_DEFAULTS.kernel,
  )
  .option('--cc <compiler>', 'of a kernel that is built (debsrc:, src:): a name or a path')
  .option('--kconfig <file>', 'a fragment of its configuration (repeatable)', collect)
  .option('--patch <file>', 'a patch, an mbox or a .cocci, applied in order (repeatable)', collect)
  .option('--steps <n>', 'only the first n patches of those files')
  .option('--pmem <kind>', 'memmap, nvdimm, virtio-pmem, or none (no DAX)', RUN_DEFAULTS.pmem)
  .option('--control', 'with --pmem none: mount without DAX, and prove that it is not in use')
  .option(
    '--suite <name>',
    'builtin, the directory of a built xfstests tree, or xfstests (the installed one)',
    RUN_DEFAULTS.suite,
  )
  .option('--exclude <test>', 'leave out a test, a range or a pattern (repeatable)', collect)
  .option('--exclude-file <file>', 'leave out the tests that a file lists (repeatable)', collect)
  .option('--exclude-group <name>', 'leave out the tests of a group (repeatable)', collect)
  .option(
    '--together',
    'tests of xfstests share guests: faster, but one can leave state to the next',
  )
  .option('--expected <file>', 'failures that are expected, with reasons (YAML)')
  .option('--mount-opts <options>', 'more mount options, after those that ask for DAX')
  .option('--mkfs-opts <options>', 'more options for mke2fs or mkfs.xfs')
  .option('--size <size>', 'of each device: 256M, 1G (default: 256M, for xfs 512M)')
  .option(
    '--timeout <time>',
    `for each test: 90, 5m (default: ${RUN_DEFAULTS.timeout}; of xfstests 15m)`,
  )
  .option('--repeat <n>', 'times to run each test', RUN_DEFAULTS.repeat)
  .option('--until-fail', 'repeat until something fails (without --repeat: 1000 times at most)')
  .option('--seed <n>', "what the guests' random numbers begin with (recorded; default: random)")
  .option('--jobs <n>', 'guests at a time (default: what cores and memory allow)')
  .option('--cpus <n>', 'of each guest', RUN_DEFAULTS.cpus)
  .option('--accel <name>', 'auto (KVM where it really works), kvm or tcg', RUN_DEFAULTS.accel)
  .option(
    '--keep-images <size>',
    'what images of damaged devices may take on the disk; 0 keeps none',
    RUN_DEFAULTS.keepImages,
  )
  .option('--no-checkpoint', 'boot each guest instead of cloning one that was booted before')
  .option('--out <dir>', "where the run's directory goes")
  .option('--json', 'the result as JSON on stdout')
  .option('--dry-run', "print QEMU's command line for a guest that is booted, and start none")
  .action(async (fs, tests, options) => {
    const { runCommand } = await import('./commands/run.js');
    await finish(runCommand(fs, tests, options, process.argv.slice(2)));
  });

program
  .command('compare')
  .summary('run variants of a kernel side by side')
  .description(
    'Runs variants × file systems × tests, and shows each verdict and what differs (A/B).\nWhat is compared stands in a case file, or in flags.',
  )
  .argument('[case.yaml]', 'variants, file systems, tests, and what is expected of them')
  .option(
    '--base [name=file,...]',
    'the variant that others are compared with (default: unchanged)',
  )
  .option('--variant <name=file,...>', 'a variant and its changes (repeatable)', collect)
  .option('--cumulative <series>', 'a variant for each prefix of an mbox: 1 patch, 2 patches, …')
  .option('--fs <fs>', 'ext2, ext4 or xfs (repeatable)', collect)
  .option('--test <id>', 'a test, such as generic/002 (repeatable)', collect)
  .option('-g, --group <name>', 'all tests of a group (repeatable)', collect)
  .option('--kernel <spec>', `as for run; goes before the case's (default: ${RUN_DEFAULTS.kernel})`)
  .option('--cc <compiler>', 'of a kernel that is built (debsrc:, src:): a name or a path')
  .option('--kconfig <file>', 'a fragment of its configuration (repeatable)', collect)
  .option('--pmem <kind>', `as for run (repeatable; default: ${RUN_DEFAULTS.pmem})`, collect)
  .option('--control', 'with --pmem none: mount without DAX, and prove that it is not in use')
  .option('--mount-opts <options>', 'more mount options, after those that ask for DAX')
  .option('--mkfs-opts <options>', 'more options for mke2fs or mkfs.xfs')
  .option('--size <size>', 'of each device: 256M, 1G')
  .option('--suite <name>', `as for run; goes before the case's (default: ${RUN_DEFAULTS.suite})`)
  .option(
    '--timeout <time>',
    `for each test; goes before the case's (default: ${RUN_DEFAULTS.timeout})`,
  )
  .option('--repeat <n>', 'times to run each cell', RUN_DEFAULTS.repeat)
  .option(
    '--until-known',
    'repeat until failure rates are told apart (without --repeat: 320 times at most)',
  )
  .option('--seed <n>', "what the guests' random numbers begin with (recorded; default: random)")
  .option('--jobs <n>', 'guests at a time (default: what cores and memory allow)')
  .option('--accel <name>', 'auto (KVM where it really works), kvm or tcg', RUN_DEFAULTS.accel)
  .option(
    '--keep-images <size>',
    'what images of damaged devices may take on the disk; 0 keeps none',
    RUN_DEFAULTS.keepImages,
  )
  .option('--no-checkpoint', 'boot each guest instead of cloning one that was booted before')
  .option('--out <dir>', "where the run's directory goes")
  .option('--json', 'the result as JSON on stdout')
  .option('--mail', 'the result as plain text for a mail, under 75 columns')
  .option('--dry-run', 'list the cells, and start nothing')
  .addHelpText(
    'after',
    `
Examples:
  daxrepro compare fixtures/cases/2016-02-dax-writeback.yaml
  daxrepro compare --variant v2=v2.patch --fs ext2 --test generic/002 --mail
  daxrepro compare --cumulative series.mbox --fs ext4 -g quick

Exit codes: 0 every expectation of the case held; 1 one was missed; 2 usage; 3 none was missed, but
a cell has no verdict (invalid, error) that the case does not expect, or nothing ran; 130
interrupted. Where nothing is expected, 0 means that every cell has a verdict, whichever.`,
  )
  .action(async (file, options) => {
    const { compareCommand } = await import('./commands/compare.js');
    await finish(compareCommand(file, options, process.argv.slice(2)));
  });

const bisect = program
  .command('bisect')
  .enablePositionalOptions()
  .summary('the first bad commit of a kernel tree, or patch of a series')
  .description(
    'Finds the first bad commit of a tree, or the first bad patch of a series, of failures that show\nin every run or only in some.',
  );
guestOptions(
  bisect
    .argument('<fs>', 'ext2, ext4 or xfs')
    .argument('<test...>', 'ids of tests, such as generic/002')
    .option('--tree <dir>', 'a kernel tree in git; it is not touched')
    .option('--good <rev>', 'a commit of it that is good, an ancestor of the bad one')
    .option('--bad <rev>', 'a commit of it that is bad')
    .option('--first-parent', 'only the commits of the main line; a merge counts as one change')
    .option('--series <mbox>', 'a series of patches for --kernel, in place of a tree')
    .option('--confidence <p>', 'stop when the answer is right with this probability', '0.95')
    .option('--least-rate <p>', 'the rarest failure to look for, per run', '0.01')
    .option('--max-runs <n>', 'give up after so many runs', '10000')
    .option('--resume', 'go on with the last bisection of this question')
    .option('--mail', 'the result as plain text for a mail, under 75 columns'),
)
  .addHelpText(
    'after',
    `
Examples:
  daxrepro bisect ext2 generic/002 --tree ~/linux --good v6.1 --bad HEAD
  daxrepro bisect ext2 generic/002 --series v2.mbox --kernel debian:6.1
  git bisect run daxrepro bisect run ext2 generic/002

Without --kernel the commits are built whole, one kernel for all that differ in fs/ext2, fs/ext4 and
fs/xfs alone. With --kernel only the file system's module is built, for a kernel of the same sources;
a commit that changes more of the kernel is refused.

Exit codes: 0 it was found; 2 usage; 3 it could not be told; 130 interrupted.`,
  )
  .action(async (fs, tests, options) => {
    const { bisectCommand } = await import('./commands/bisect.js');
    await finish(bisectCommand(fs, tests, options, process.argv.slice(2)));
  });
guestOptions(
  bisect
    .command('run')
    .summary('one step of `git bisect run`')
    .description(
      'The command of `git bisect run`: runs tests on the tree as it is checked out.\n\nExit codes: 0 good; 1 bad; 125 cannot tell (it does not build or boot, or is inconclusive); 128 and\nmore stop the bisection (usage, no QEMU, no disk).',
    )
    .argument('<fs>', 'ext2, ext4 or xfs')
    .argument('[test...]', 'ids of tests, such as generic/002')
    .option('-g, --group <name>', 'all tests of a group (repeatable)', collect)
    .option('--tree <dir>', 'the kernel tree', '.')
    .option('--rev <rev>', 'a revision of it, in place of what is checked out')
    .option('--repeat <n>', 'times to run each test; one that fails is bad', RUN_DEFAULTS.repeat),
).action(async (fs, tests, options) => {
  const { bisectStepCommand } = await import('./commands/bisect-step.js');
  await finish(bisectStepCommand(fs, tests, options, process.argv.slice(2)));
});

program
  .command('list')
  .summary('the tests, with their groups')
  .description(
    "Lists the tests of the suite. Of xfstests', those of a file system, where it is named first.",
  )
  .argument('[test...]', 'only these')
  .option(
    '--suite <name>',
    'builtin, the directory of a built xfstests tree, or xfstests (the installed one)',
    RUN_DEFAULTS.suite,
  )
  .option('--exclude <test>', 'leave out a test, a range or a pattern (repeatable)', collect)
  .option('--exclude-file <file>', 'leave out the tests that a file lists (repeatable)', collect)
  .option('--exclude-group <name>', 'leave out the tests of a group (repeatable)', collect)
  .option('-g, --group <name>', 'only those of a group (repeatable)', collect)
  .option('--json', 'as JSON on stdout')
  .action(async (tests, options) => {
    const { listCommand } = await import('./commands/list.js');
    await finish(listCommand(tests, options));
  });

program
  .command('fsck')
  .summary('the findings in an e2fsck or xfs_repair log')
  .description(
    'Reads a log of e2fsck or xfs_repair, or an xfstests .full file.\nExits with 0 where it is clean, 1 where it has findings, 2 where it is no such log.',
  )
  .argument('<log>', 'a file, or - for stdin')
  .option('--json', 'as JSON on stdout')
  .action(async (log, options) => {
    const { fsckCommand } = await import('./commands/fsck.js');
    await finish(fsckCommand(log, options));
  });

const kernel = program
  .command('kernel')
  .summary('the kernels that can be run')
  .description('Finds, fetches and builds kernels.');
kernel
  .command('list')
  .description('Lists the packaged kernels, and those that are in the cache.')
  .option('--json', 'as JSON on stdout')
  .action(async (options) => {
    const { kernelListCommand } = await import('./commands/kernel.js');
    await finish(kernelListCommand(options));
  });
kernel
  .command('path')
  .description(
    "Prints the path of a kernel's image and nothing else; fetches or builds it where needed.",
  )
  .argument('<spec>', 'as for run --kernel')
  .option('--cc <compiler>', 'as for run')
  .option('--kconfig <file>', 'as for run (repeatable)', collect)
  .action(async (spec, options) => {
    const { kernelPathCommand } = await import('./commands/kernel.js');
    await finish(kernelPathCommand(spec, options));
  });
kernel
  .command('build')
  .description('Fetches or builds a kernel, and builds the file-system modules that it lacks.')
  .argument('<spec>', 'as for run --kernel')
  .option('--cc <compiler>', 'as for run')
  .option('--kconfig <file>', 'as for run (repeatable)', collect)
  .option('--refresh', 'look for a newer package')
  .option('--json', 'as JSON on stdout')
  .action(async (spec, options) => {
    const { kernelBuildCommand } = await import('./commands/kernel.js');
    await finish(kernelBuildCommand(spec, options));
  });

const cache = program
  .command('cache')
  .summary('what is in the cache')
  .description('Lists and cleans the cache of kernels, modules and guest images.');
cache
  .command('list')
  .description('Lists the entries with their sizes and when they were last used.')
  .option('--json', 'as JSON on stdout')
  .action(async (options) => {
    const { cacheListCommand } = await import('./commands/cache.js');
    await finish(cacheListCommand(options));
  });
cache
  .command('clean')
  .description('Removes what was not used for a while, and what killed runs left behind.')
  .option('--all', 'remove everything that nobody uses just now')
  .addOption(new Option('--older-than <days>', 'not used for so many days').default('30'))
  .option('--dry-run', 'only say what would be removed')
  .action(async (options) => {
    const { cacheCleanCommand } = await import('./commands/cache.js');
    await finish(cacheCleanCommand(options));
  });

program
  .command('doctor')
  .summary('whether this machine can do the work')
  .description('Shows what is there, what is missing and how to get it, and whether KVM works.')
  .option('--suite <name>', 'look at an xfstests tree, too: its directory, or xfstests')
  .option('--json', 'as JSON on stdout')
  .action(async (options) => {
    const { doctorCommand } = await import('./commands/doctor.js');
    const { probeKvmHere } = await import('./run/probe-kvm.js');
    await finish(doctorCommand(options, { probeKvm: probeKvmHere }));
  });

program
  .command('setup')
  .summary('install what is missing')
  .description('Installs the system packages that are missing, after naming them.')
  .option('--dry-run', 'only say what would be installed')
  .action(async (options) => {
    const { setupCommand } = await import('./commands/setup.js');
    await finish(setupCommand(options));
  });

/** What both ways to bisect take of the options of `run`. */
function guestOptions(command: Command): Command {
  return command
    .option('--kernel <spec>', 'run modules of the commits on this kernel, such as debian:6.1')
    .option('--signature <signature>', 'only this finding is bad, as `--json` names it')
    .option('--cc <compiler>', 'of a kernel that is built: a name or a path')
    .option('--kconfig <file>', 'a fragment of its configuration (repeatable)', collect)
    .option('--pmem <kind>', 'memmap, nvdimm, virtio-pmem, or none (no DAX)', RUN_DEFAULTS.pmem)
    .option('--control', 'with --pmem none: mount without DAX, and prove that it is not in use')
    .option('--suite <name>', 'as for run', RUN_DEFAULTS.suite)
    .option('--mount-opts <options>', 'more mount options, after those that ask for DAX')
    .option('--mkfs-opts <options>', 'more options for mke2fs or mkfs.xfs')
    .option('--size <size>', 'of each device: 256M, 1G')
    .option('--timeout <time>', 'for each test: 90, 5m')
    .option('--seed <n>', "what the guests' random numbers begin with (recorded; default: random)")
    .option('--jobs <n>', 'guests at a time (default: what cores and memory allow)')
    .option('--cpus <n>', 'of each guest', RUN_DEFAULTS.cpus)
    .option('--accel <name>', 'auto (KVM where it really works), kvm or tcg', RUN_DEFAULTS.accel)
    .option('--no-checkpoint', 'boot each guest instead of cloning one that was booted before')
    .option('--out <dir>', "where the run's directory goes")
    .option('--json', 'the result as JSON on stdout');
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

async function finish(code: Promise<number>): Promise<void> {
  process.exitCode = await code;
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
