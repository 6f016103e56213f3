import { openJob } from '../job/job.js';
import { type RunJob, runJob } from '../job/run.js';
import { EXIT, failure, success } from '../outcome.js';
import { formatSummary } from '../report/summary.js';
import { exitCodeOfUnits } from '../results/run-result.js';
import { checkRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { shellQuote } from '../shell-quote.js';
import { runOn } from './on.js';
import { replayCommand } from './replay.js';
import { explain, inSession, keepResult, print, suggestControl, wantsColour } from './session.js';
import { withSuite } from './suite.js';

/** `daxrepro run <fs> <test...>`: its exit code is the contract's. */
export async function runCommand(
  fs: string | undefined,
  tests: string[],
  options: RunOptions,
  argv: string[],
): Promise<number> {
  const { rerunFailures, accel, jobs, keepImages, checkpoint, out, json } = options;
  if (rerunFailures !== undefined) {
    if (fs !== undefined) return explain(alreadyNamed(rerunFailures).failure);
    const given = { accel, jobs, keepImages, checkpoint, out, json };
    const defined = Object.entries(given).filter(([, value]) => value !== undefined);
    const replay = { ...Object.fromEntries(defined), accel, failures: true, asRun: true };
    return replayCommand(rerunFailures, replay, argv);
  }
  if (fs === undefined) return explain(noFileSystem().failure);
  const overlaid = await withSuite(tests, options);
  if (!overlaid.ok) return explain(overlaid.failure);
  const checked = checkRequest(fs, overlaid.value.words, overlaid.value.options);
  if (!checked.ok) return explain(checked.failure);
  if (options.on !== undefined && !options.dryRun) {
    return runOn(options.on, checked.value, options, argv);
  }
  return inSession(async (session) => {
    const ran = await runJob(checked.value, options, openJob(argv, session));
    if (!ran.ok) return ran;
    session.reporter.end();
    if (ran.value.type === 'dry-run') return success(printDryRun(ran.value, options));
    const { result, failure } = ran.value;
    if (failure) explain(failure, session.reporter);
    const code = keepResult(result, exitCodeOfUnits(result.units), session);
    print(options.json ? result : formatSummary(result, { colour: wantsColour() }));
    suggestControl(result);
    return success(code);
  });
}

function alreadyNamed(run: string) {
  return failure(
    'usage',
    `--rerun-failures ${run} and a file system: the run names what to run`,
    'Leave the file system and the tests out',
  );
}

function noFileSystem() {
  return failure('usage', 'No file system is named', 'Name ext2, ext4 or xfs, and then tests');
}

/** QEMU's command lines, one a line, quoted for a shell. Descriptors 3 to 7 are ours. */
function printDryRun({ argvs }: RunJob & { type: 'dry-run' }, { json }: RunOptions): number {
  const lines = argvs.map((argv) => argv.map(shellQuote).join(' '));
  process.stdout.write(json ? `${JSON.stringify(argvs)}\n` : `${lines.join('\n')}\n`);
  return EXIT.ok;
}
