import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeForTerminal } from '../findings/escape.js';
import { openJob } from '../job/job.js';
import { type Failure, failure, type Outcome, success } from '../outcome.js';
import { type ReplayJobOptions, replayJob } from '../replay/job.js';
import { planReplay, type ReplayFlags } from '../replay/plan.js';
import { exitCodeOfReplay, type ReplayResult } from '../replay/result.js';
import { replayedSuite } from '../replay/suite.js';
import { openRunOrBundle } from '../replay/target.js';
import { formatReplay } from '../report/replay-text.js';
import { namesNoRun } from '../results/read.js';
import { exitCodeOfUnits, type UnitResult } from '../results/run-result.js';
import { exactCommand, misuseOf } from './replay-exact.js';
import {
  explain,
  inSession,
  keepResult,
  print,
  type Session,
  sayNewest,
  terminalWidth,
} from './session.js';

/** The options of `replay` as the command line gives them. */
export interface ReplayCommandOptions extends ReplayFlags, ReplayJobOptions {
  /** A bundle may run programs on this machine. */
  trust?: boolean;
  /** The exit code is that of `run`: what the units came to, and not whether they agree. */
  asRun?: boolean;
  /** Replay the recorded execution. */
  exact?: boolean;
  json?: boolean;
}

/** `daxrepro replay RUN`: its help lists the exit codes. */
export async function replayCommand(
  name: string | undefined,
  options: ReplayCommandOptions,
  argv: string[],
): Promise<number> {
  const misused = misuseOf(options);
  if (misused) return explain(misused);
  if (options.exact) return exactCommand(name, options, argv);
  // Private: mkdtemp(3) makes it with mode 700.
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-bundle-'));
  try {
    return await inSession(async (session) => {
      const replayed = await replay(name, options, { argv, scratch, session });
      if (!replayed.ok) return replayed;
      session.reporter.end();
      const { units, replay: compared } = replayed.value;
      const exitCode = options.asRun ? exitCodeOfUnits(units) : exitCodeOfReplay(compared);
      const code = keepResult(replayed.value, exitCode, session);
      const width = terminalWidth();
      print(options.json ? replayed.value : formatReplay(replayed.value, { width }));
      return success(code);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Invocation {
  argv: string[];
  /** Where a bundle is unpacked. */
  scratch: string;
  session: Session;
}

async function replay(
  name: string | undefined,
  options: ReplayCommandOptions,
  { argv, scratch, session }: Invocation,
): Promise<Outcome<ReplayResult>> {
  const job = openJob(argv, session);
  const { kernel, trust = false } = options;
  const target = await openRunOrBundle(name, { trust, kernel, scratch, context: job });
  if (!target.ok) return { ok: false, failure: escaped(target.failure) };
  if (namesNoRun(name)) sayNewest(target.value.run.directory, session);
  const { units, company, inputs, brought } = target.value;
  const suite = await replayedSuite(inputs, options.suite, job);
  if (!suite.ok) return { ok: false, failure: escaped(suite.failure) };
  const flags = { ...options, suite: suite.value, brought: brought !== undefined };
  const wanted = options.failures ? units.filter(isUnsettled) : units;
  if (wanted.length === 0) return nothingFailed(name ?? target.value.run.directory);
  const plan = planReplay([...company, ...wanted], inputs, flags);
  if (!plan.ok) return { ok: false, failure: escaped(plan.failure) };
  return replayJob({ ...target.value, units: wanted }, plan.value, options, job);
}

/** Failed, or without a verdict. */
function isUnsettled({ verdict, expectedFailure }: UnitResult): boolean {
  return verdict !== 'pass' && verdict !== 'notrun' && !expectedFailure?.held;
}

function nothingFailed(name: string): Outcome<never> {
  return failure(
    'usage',
    `No unit of ${name} failed or was left without a verdict`,
    'Leave the option out to run all of them again',
  );
}

/** A failure about a stranger's files may quote their words. */
function escaped(failed: Failure): Failure {
  const { message, remedy, others } = failed;
  return {
    ...failed,
    message: escapeForTerminal(message),
    remedy: escapeForTerminal(remedy),
    ...(others ? { others: others.map(escaped) } : {}),
  };
}
