import { type Command, Option } from 'commander';
import { compareArguments, guestOptions as compareGuests } from './compare.js';
import { finish } from './define.js';
import { document, RUN_EXIT_CODES, USAGE_EXIT_CODE } from './manual.js';
import { guestOptions, repeatOptions, runArguments } from './run.js';
import { shared } from './shared-options.js';

/** `daxrepro plan`, `chunk` and `collect`: their arguments and options. */
export function definePlan(program: Command): void {
  const plan = program
    .command('plan')
    .summary('prepare a run as a directory, for other machines')
    .description(
      'Prepares a run or a comparison as a directory with everything that its units need, in chunks of about equal time.',
    )
    .addOption(new Option('--rerun <dir>', 'plan the units of a plan again that have no verdict'))
    .addOption(chunkOption())
    .option('--json', 'print the plan as JSON on stdout')
    .action(async (options) => {
      const { planRerunCommand } = await import('../commands/plan.js');
      await finish(planRerunCommand(options));
    });
  planRun(plan);
  planCompare(plan);
  document(plan, {
    examples: [
      ['daxrepro plan run ext4 -g auto --into /shared/night', 'prepare a run'],
      ['daxrepro plan compare case.yaml --into /shared/ab --chunk 5m', 'prepare a comparison'],
      ['daxrepro plan --rerun /shared/night', 'plan what is missing or has no verdict'],
    ],
    details: DETAILS,
    exitCodes: PLAN_EXIT_CODES,
  });
}

const DETAILS = `The directory holds the units in chunks, the kernels, modules, guest images and test
      files, and daxrepro itself. It can be shared or copied. \`daxrepro chunk DIR N\` runs one chunk; \`daxrepro
      collect DIR\` makes one run of the results. Both sides of a comparison of one test are in one chunk. Equal
      requests, inputs and known durations give equal chunks.`;

const PLAN_EXIT_CODES = [
  ['0', 'the plan was written'],
  USAGE_EXIT_CODE,
  ['3', 'something could not be prepared, or the directory not be written'],
  ['130', 'interrupted'],
] as const;

const chunkOption = () =>
  new Option('--chunk <time>', 'time of a chunk, if its units run one after the other').default(
    '10m',
  );

function planOptions(command: Command): void {
  command
    .optionsGroup('Plan:')
    .requiredOption('--into <dir>', 'the directory to write; new or empty')
    .addOption(chunkOption())
    .addOption(shared.keepImages())
    .option(
      '--explain',
      'run each failure again with write-back tracing, to show why data was lost',
    )
    .option('--json', 'print the plan as JSON on stdout');
}

function planRun(plan: Command): void {
  const run = plan
    .command('run')
    .summary('plan a run')
    .description('Prepares a run as a directory.');
  runArguments(run);
  for (const define of [repeatOptions, guestOptions, planOptions]) define(run);
  run.action(async (fs, tests, options) => {
    const { planRunCommand } = await import('../commands/plan.js');
    await finish(planRunCommand(fs, tests, options, process.argv.slice(3)));
  });
  document(run, {
    examples: [
      ['daxrepro plan run ext4 -g auto --into /shared/night', 'prepare a run'],
      [
        'daxrepro plan run xfs -g quick --suite ~/xfstests-dev --into /shared/xfs --chunk 20m',
        'with longer chunks',
      ],
    ],
    exitCodes: PLAN_EXIT_CODES,
  });
}

function planCompare(plan: Command): void {
  const compare = plan
    .command('compare')
    .summary('plan a comparison')
    .description('Prepares a comparison as a directory.');
  compareArguments(compare);
  for (const define of [compareGuests, planOptions]) define(compare);
  compare.action(async (file, options) => {
    const { planCompareCommand } = await import('../commands/plan.js');
    await finish(planCompareCommand(file, options, process.argv.slice(3)));
  });
  document(compare, {
    examples: [['daxrepro plan compare case.yaml --into /shared/ab', 'prepare a comparison']],
    exitCodes: PLAN_EXIT_CODES,
  });
}

export function defineChunk(program: Command): void {
  const chunk = program
    .command('chunk')
    .summary('run one chunk of a plan on this machine')
    .description(
      'Runs one chunk of a plan on this machine: its units that have no whole result yet. Needs Node.js, QEMU and the directory; no network and no compiler.',
    )
    .argument('<dir>', 'the directory of the plan, or a copy')
    .argument('<n>', 'the number of the chunk, from 1')
    .addOption(shared.jobs())
    .option('--json', 'print what was done as JSON on stdout')
    .action(async (directory, number, options) => {
      const { chunkCommand } = await import('../commands/chunk.js');
      await finish(chunkCommand(directory, number, options));
    });
  document(chunk, {
    examples: [
      ['daxrepro chunk /shared/night 3', 'the third chunk, with as many guests as fit'],
      ['daxrepro chunk /shared/night 3 --jobs 1', 'with one guest at a time'],
    ],
    details: `The plan has a copy of daxrepro: \`node DIR/program/dist/main.js chunk DIR N\`.

      A chunk can be run again, on any machine and on several at once: each result appears
      as a whole or not at all, and the first one counts.`,
    exitCodes: [
      ['0', 'every unit of the chunk has a result, whatever its verdict'],
      USAGE_EXIT_CODE,
      ['3', 'a unit has no result: this machine could not run it'],
      ['130', 'interrupted'],
    ],
  });
}

export function defineCollect(program: Command): void {
  const command = program
    .command('collect')
    .summary('make one run of the results of a plan')
    .description(
      'Makes one run of the results in the directory of a plan: the same result.json, reports and exit code as on one machine.',
    )
    .argument('<dir>', 'the directory of the plan')
    .option('--wait', 'of a run with --on: watch until every unit has a result')
    .option('--json', 'print the result as JSON on stdout')
    .option('--mail', 'print a comparison as plain text for mail, in 72 columns')
    .action(async (directory, options) => {
      const { collectCommand } = await import('../commands/collect.js');
      await finish(collectCommand(directory, options));
    });
  document(command, {
    examples: [
      ['daxrepro collect /shared/night', 'verdicts of all units, and the exit code of run'],
      ['daxrepro collect /shared/ab --json', 'one JSON document on stdout'],
    ],
    details: `A unit whose result is missing, torn, or was made from other inputs is an error that says
      so. The directory is then the directory of a run: report, replay, diff and bundle take it.`,
    exitCodes: RUN_EXIT_CODES,
  });
}
