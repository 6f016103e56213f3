import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro bisect`: its arguments and options. */
export function defineBisect(program: Command): void {
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
      .option('--tree <tree>', 'a kernel tree in git; it is not touched')
      .option('--good <rev>', 'a commit of it that is good, an ancestor of the bad one')
      .option('--bad <rev>', 'a commit of it that is bad')
      .option('--first-parent', 'only the commits of the main line; a merge counts as one change')
      .option('--series <mbox>', 'a series of patches for --kernel, in place of a tree')
      .option('--confidence <p>', 'stop when the answer is right with this probability', '0.95')
      .option('--least-rate <p>', 'the rarest failure to look for, per run', '0.01')
      .option('--max-runs <n>', 'give up after so many runs', '10000')
      .option('--resume', 'go on with the last bisection of this question')
      .option('--mail', 'the result as plain text for a mail, under 75 columns'),
  ).action(async (fs, tests, options) => {
    const { bisectCommand } = await import('../commands/bisect.js');
    await finish(bisectCommand(fs, tests, options, process.argv.slice(2)));
  });
  const step = guestOptions(
    bisect
      .command('run')
      .summary('one step of `git bisect run`')
      .description('The command of `git bisect run`: runs tests on the tree as it is checked out.')
      .argument('<fs>', 'ext2, ext4 or xfs')
      .argument('[test...]', 'ids of tests, such as generic/002')
      .option('-g, --group <group>', 'all tests of a group (repeatable)', collect)
      .option('--tree <tree>', 'the kernel tree', '.')
      .option('--rev <rev>', 'a revision of it, in place of what is checked out')
      .option('--repeat <n>', 'times to run each test; one that fails is bad', RUN_DEFAULTS.repeat),
  );
  step.action(async (fs, tests, options) => {
    const { bisectStepCommand } = await import('../commands/bisect-step.js');
    await finish(bisectStepCommand(fs, tests, options, process.argv.slice(2)));
  });
  document(bisect, {
    examples: [
      [
        'daxrepro bisect ext2 generic/002 --tree ~/linux --good v6.1 --bad HEAD',
        'the first bad commit; each kernel is built whole',
      ],
      [
        'daxrepro bisect ext2 generic/002 --series v2.mbox --kernel debian:6.1',
        'the first bad patch of a series',
      ],
      [
        'daxrepro bisect ext4 power-cut/mmap-msync --power-cut --series v2.mbox --kernel debian:6.1',
        'the patch that loses a flush',
      ],
      ['git bisect run daxrepro bisect run ext2 generic/002', "a step of git's own bisection"],
    ],
    details: `
Without --kernel the commits are built whole, one kernel for all that differ in fs/ext2, fs/ext4 and
fs/xfs alone. With --kernel only the file system's module is built, for a kernel of the same sources;
a commit that changes more of the kernel is refused.`,
    options: {
      '--confidence': 'each run changes how likely each commit is to be the first bad one',
      '--least-rate': 'a bad end that does not fail so often is said to be good: 299 runs for 0.01',
      '--resume': 'what was learned before Ctrl-C or a power cut is kept',
    },
    exitCodes: [
      ['0', 'it was found'],
      ['2', 'wrong usage or configuration, with the place and the fix'],
      ['3', 'it could not be told'],
      ['130', 'interrupted'],
    ],
  });
  document(step, {
    examples: [
      ['git bisect run daxrepro bisect run ext2 generic/002', 'in a tree that is being bisected'],
      [
        'git bisect run daxrepro bisect run ext4 generic/475 --repeat 20',
        'a failure that shows once in a while',
      ],
    ],
    exitCodes: [
      ['0', 'good'],
      ['1', 'bad'],
      ['125', 'cannot tell: it does not build or boot, or proves nothing'],
      ['128', 'and more stop the bisection: wrong usage, no QEMU, no disk'],
    ],
  });
}

/** What both ways to bisect take of the options of `run`. */
function guestOptions(command: Command): Command {
  return command
    .option('--kernel <spec>', 'run modules of the commits on this kernel, such as debian:6.1')
    .option('--signature <signature>', 'only this finding is bad, as `--json` names it')
    .option('--cc <compiler>', 'of a kernel that is built: a name or a path')
    .addOption(shared.kconfig())
    .addOption(shared.pmem())
    .addOption(shared.control())
    .option('--suite <suite>', 'as for run', RUN_DEFAULTS.suite)
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'of each device: 256M, 1G')
    .option('--timeout <time>', 'for each test: 90, 5m')
    .addOption(shared.powerCut())
    .addOption(shared.cuts())
    .addOption(shared.cutStates())
    .addOption(shared.seed())
    .addOption(shared.jobs())
    .option('--cpus <n>', 'of each guest', RUN_DEFAULTS.cpus)
    .addOption(shared.accel())
    .addOption(shared.noCheckpoint())
    .option('--out <dir>', "where the run's directory goes")
    .option('--json', 'the result as JSON on stdout');
}
