import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document, type Manual, USAGE_EXIT_CODE } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro bisect`: its arguments and options. */
export function defineBisect(program: Command): void {
  const bisect = program
    .command('bisect')
    .enablePositionalOptions()
    .summary('find the first bad commit of a kernel tree, or patch of a series')
    .description(
      'Finds the first bad commit of a tree, or the first bad patch of a series. It also works for\nfailures that do not show in every run.',
    );
  guestOptions(
    bisect
      .argument('<fs>', 'ext2, ext4 or xfs')
      .argument('<test...>', 'test ids, such as generic/002')
      .option('--tree <tree>', 'a kernel git tree; it stays untouched')
      .option('--good <rev>', 'a good commit, an ancestor of the bad one')
      .option('--bad <rev>', 'a bad commit')
      .option('--first-parent', 'follow only first parents; a merge counts as one change')
      .option('--series <mbox>', 'bisect a patch series on top of --kernel instead of a tree')
      .option('--confidence <p>', 'stop when the answer is right with this probability', '0.95')
      .option('--least-rate <p>', 'the lowest failure rate to look for, per run', '0.01')
      .option('--max-runs <n>', 'give up after n runs', '10000')
      .option('--resume', 'continue the last bisection with the same arguments')
      .option('--mail', 'print the result as plain text for mail, in 72 columns')
      .addOption(shared.replyTo())
      .addOption(shared.inReplyTo()),
  ).action(async (fs, tests, options) => {
    const { bisectCommand } = await import('../commands/bisect.js');
    await finish(bisectCommand(fs, tests, options, process.argv.slice(2)));
  });
  document(bisect, MANUAL);
  defineStep(bisect);
}

/** `daxrepro bisect run`. */
function defineStep(bisect: Command): void {
  const step = guestOptions(
    bisect
      .command('run')
      .summary('one step of `git bisect run`')
      .description('Runs tests on the checked-out tree, as the command of `git bisect run`.')
      .argument('<fs>', 'ext2, ext4 or xfs')
      .argument('[test...]', 'test ids, such as generic/002')
      .option('-g, --group <group>', 'all tests of a group (repeatable)', collect)
      .option('--tree <tree>', 'the kernel tree', '.')
      .option('--rev <rev>', 'test this revision instead of the checked-out files')
      .option(
        '--repeat <n>',
        'run each test n times; one failure makes it bad',
        RUN_DEFAULTS.repeat,
      ),
  );
  step.action(async (fs, tests, options) => {
    const { bisectStepCommand } = await import('../commands/bisect-step.js');
    await finish(bisectStepCommand(fs, tests, options, process.argv.slice(2)));
  });
  document(step, STEP_MANUAL);
}

/** The options of `run` that both commands take. */
function guestOptions(command: Command): Command {
  return command
    .option('--kernel <spec>', "run the commits' modules on this kernel, such as debian:6.1")
    .option('--signature <signature>', 'only this finding counts as bad (a signature from --json)')
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .addOption(shared.debug())
    .addOption(shared.pmem())
    .addOption(shared.partition())
    .addOption(shared.stack())
    .addOption(shared.control())
    .option('--suite <suite>', 'as for run', RUN_DEFAULTS.suite)
    .addOption(shared.suitePatch())
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'size of each device: 256M, 1G')
    .option('--timeout <time>', 'time limit per test: 90, 5m')
    .addOption(shared.withDirectory())
    .addOption(shared.runFor())
    .addOption(shared.memory())
    .addOption(shared.append())
    .addOption(shared.sysctl())
    .addOption(shared.logDevice())
    .addOption(shared.rtDevice())
    .addOption(shared.logwrites())
    .addOption(shared.powerCut())
    .addOption(shared.cuts())
    .addOption(shared.cutStates())
    .addOption(shared.seed())
    .addOption(shared.jobs())
    .option('--cpus <n>', 'CPUs per guest', RUN_DEFAULTS.cpus)
    .addOption(shared.accel())
    .addOption(shared.qemu())
    .addOption(shared.userland())
    .addOption(shared.e2fsprogs())
    .addOption(shared.xfsprogs())
    .addOption(shared.noCheckpoint())
    .option('--out <dir>', "directory for the run's directory")
    .option('--json', 'print the result as JSON on stdout');
}

const MANUAL: Manual = {
  examples: [
    [
      'daxrepro bisect ext2 generic/002 --tree ~/linux --good v6.1 --bad HEAD',
      'the first bad commit; builds whole kernels',
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
Without --kernel every commit gets a full build; commits that differ only in fs/ext2, fs/ext4 and
fs/xfs share one kernel. With --kernel only the file system's module is built, for a kernel with the
same sources; a commit that changes anything else is refused.`,
  options: {
    '--confidence': 'every run updates the probability of each commit to be the first bad one',
    '--least-rate':
      'an end that fails less often than this counts as good: 0.01 takes 299 runs to establish',
    '--resume': 'results are saved as they come, so nothing is lost by Ctrl-C or a power cut',
  },
  exitCodes: [
    ['0', 'the first bad change was found'],
    USAGE_EXIT_CODE,
    ['3', 'no answer could be reached'],
    ['130', 'interrupted'],
  ],
};

const STEP_MANUAL: Manual = {
  examples: [
    ['git bisect run daxrepro bisect run ext2 generic/002', 'in a tree under bisection'],
    [
      'git bisect run daxrepro bisect run ext4 generic/475 --repeat 20',
      'for a failure that shows once in a while',
    ],
  ],
  exitCodes: [
    ['0', 'good'],
    ['1', 'bad'],
    ['125', 'skip: the commit does not build or boot, or gives no verdict'],
    ['128', 'or more stops the bisection: wrong usage, no QEMU, no disk space'],
  ],
};
