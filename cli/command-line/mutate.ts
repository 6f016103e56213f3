import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document, type Manual, USAGE_EXIT_CODE } from './manual.js';
import { powerCutOptions, shared } from './shared-options.js';

/** `daxrepro mutate`: its arguments and options. */
export function defineMutate(program: Command): void {
  const mutate = program
    .command('mutate')
    .summary('make small wrong changes to a file system, and see which the tests notice')
    .description(
      'Makes mutants of a file system: modules with one small wrong change each. Runs tests on each of them until one fails. A mutant that survives all tests shows what no test checks.',
    )
    .argument('<fs>', 'ext2, ext4 or xfs')
    .argument('[test...]', 'test ids (default: -g auto, or -g dax of an xfstests tree)');
  mutantOptions(mutate);
  testOptions(mutate);
  powerCutOptions(mutate);
  guestOptions(mutate);
  mutate.action(async (fs, tests, options) => {
    const { mutateCommand } = await import('../commands/mutate.js');
    await finish(mutateCommand(fs, tests, options, process.argv.slice(2)));
  });
  document(mutate, MANUAL);
}

function mutantOptions(mutate: Command): void {
  mutate
    .optionsGroup('Mutants:')
    .option('--operators <operators>', 'only these operators, separated by commas')
    .option('--files <patterns>', 'only files of these names or patterns: inode.c,xattr*.c')
    .option(
      '--functions <patterns>',
      'only functions of these names or patterns; all takes every function',
    )
    .option('--limit <n>', 'the most mutants to test', '60')
    .option('--seed <n>', "decides which mutants are drawn, and the guests' random numbers", '1')
    .option('--list', 'show the mutants as patches, and run nothing')
    .option('--resume', 'continue the last run with the same arguments; --limit may be larger');
}

function testOptions(mutate: Command): void {
  mutate
    .optionsGroup('Tests:')
    .option('-g, --group <group>', 'all tests of a group (repeatable)', collect)
    .option('--suite <suite>', 'as for run', RUN_DEFAULTS.suite)
    .addOption(shared.suitePatch())
    .addOption(shared.exclude())
    .addOption(shared.excludeFile())
    .addOption(shared.excludeGroup())
    .option('--timeout <time>', 'time limit per test: 90, 5m (default: 60 s; 15 min for xfstests)');
}

function guestOptions(mutate: Command): void {
  mutate
    .optionsGroup('Kernel and guests:')
    .option('--kernel <spec>', 'as for run', RUN_DEFAULTS.kernel)
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .addOption(shared.pmem())
    .addOption(shared.partition())
    .addOption(shared.stack())
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'size of each device: 256M, 1G')
    .addOption(shared.memory())
    .addOption(shared.jobs())
    .option('--cpus <n>', 'CPUs per guest', RUN_DEFAULTS.cpus)
    .addOption(shared.accel())
    .addOption(shared.qemu())
    .addOption(shared.noCheckpoint())
    .optionsGroup('Output:')
    .option('--out <dir>', "directory for the run's directory")
    .option('--json', 'print the result as JSON on stdout');
}

const MANUAL: Manual = {
  examples: [
    ['daxrepro mutate ext2 --limit 20', '20 mutants, on the packaged 6.1 kernel'],
    ['daxrepro mutate ext4 --power-cut', 'power-cut tests run as well'],
    ['daxrepro mutate xfs --list --operators flush-dropped', 'only show the changes'],
    ['daxrepro mutate ext2 ./repro.sh --files inode.c', 'what a test of your own notices'],
    ['daxrepro mutate ext4 --suite ~/xfstests-dev --json', 'the same mutants, with xfstests'],
  ],
  details: `
The operators are semantic patches in kernels/mutations, each applied at one place at a time. Places are
drawn from functions that the built-in tests reach, in turn from each operator. The same seed draws the
same mutants.

The tests run on the unchanged module first, and a test that does not pass there kills nothing. On each
mutant they run in the order of their time there, the quickest first. Only a failure kills. If a test
has no verdict and no other fails, the mutant neither counts as killed nor as survived.

The run's directory has each mutant's patch, mutation.json with all outcomes, and mutants.html, the
source with the mutants marked.`,
  options: {
    '--power-cut': 'adds the group power-cut if no test is named; named tests run with power cuts',
    '--resume': 'outcomes are saved as they come, so nothing is lost by Ctrl-C or a power cut',
  },
  exitCodes: [
    ['0', 'every mutant that differs from the unchanged module was detected'],
    ['1', 'at least one mutant survived'],
    USAGE_EXIT_CODE,
    ['3', 'none survived, but at least one has no verdict, or none was tested'],
    ['130', 'interrupted'],
  ],
};
