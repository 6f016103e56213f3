import { createInterface } from 'node:readline/promises';
import { type PlannedRun, plannedComparison, plannedRun } from '../chunks/planned-run.js';
import type { CompareOptions } from '../compare/case-flags.js';
import { prepareComparison } from '../compare/job.js';
import type { ComparisonPlan } from '../compare/plan.js';
import { checkPlannable, parseEngine } from '../engines/request.js';
import { type Spread, spread } from '../engines/spread.js';
import { openJob } from '../job/job.js';
import { prepareRun } from '../job/run.js';
import { unpreparedRun } from '../job/unprepared.js';
import { EXIT, type Outcome, success } from '../outcome.js';
import type { Case } from '../results/case.js';
import { exitCodeOfUnits } from '../results/run-result.js';
import type { CheckedRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { isUnprepared } from '../run/unprepared.js';
import { type CollectedOutput, printCollected } from './print-collected.js';
import { explain, inSession, keepResult, print, type Session } from './session.js';

/** `--on` of `run` and `compare`: other machines run the units. */

export async function runOn(
  engine: string,
  checked: CheckedRequest,
  options: RunOptions,
  argv: string[],
): Promise<number> {
  return on(engine, options, async (session) => {
    const job = openJob(argv, session);
    const ready = await prepareRun(checked, options, job);
    if (ready.ok) return success(plannedRun(checked, options, ready.value));
    if (!options.json || !isUnprepared(ready.failure)) return ready;
    const { request, accelerator } = checked;
    const none = { failed: ready.failure, requests: [request], accelerator, out: options.out };
    const result = await unpreparedRun(none, job);
    if (!result.ok) return result;
    explain(ready.failure, session.reporter);
    const code = keepResult(result.value, exitCodeOfUnits(result.value.units), session);
    print(result.value);
    return success(code);
  });
}

export async function compareOn(
  engine: string,
  { asked, plan }: { asked: Case; plan: ComparisonPlan },
  options: CompareOptions,
  argv: string[],
): Promise<number> {
  return on(engine, options, async (session) => {
    const ready = await prepareComparison(asked, plan, options, openJob(argv, session));
    return ready.ok ? success(plannedComparison(options, ready.value)) : ready;
  });
}

/** @param prepare returns what to run, or the exit code if that is known already */
async function on(
  engine: string,
  options: CollectedOutput & {
    out?: string;
    untilFail?: boolean;
    soak?: string;
    untilKnown?: boolean;
  },
  prepare: (session: Session) => Promise<Outcome<PlannedRun | number>>,
): Promise<number> {
  const request = parseEngine(engine);
  if (!request.ok) return explain(request.failure);
  const possible = checkPlannable(options);
  if (!possible.ok) return explain(possible.failure);
  return inSession(async (session) => {
    const ready = await prepare(session);
    if (!ready.ok) return ready;
    if (typeof ready.value === 'number') return ready.value;
    const context = { ...session, leave: askToLeave };
    const done = await spread(ready.value, request.value, options.out, context);
    return done.ok ? success(await endSpread(done.value, options, session)) : done;
  }, INTERRUPTED);
}

/** What Ctrl-C says at once. */
export const INTERRUPTED = 'interrupted';

export async function endSpread(
  done: Spread,
  options: CollectedOutput,
  session: Session,
): Promise<number> {
  session.reporter.end();
  if (done.type === 'collected') return printCollected(done.collected, options, session);
  process.stderr.write(`daxrepro: the chunks go on. To see the results: ${done.reattach}\n`);
  return session.signal.aborted ? EXIT.interrupted : EXIT.noVerdict;
}

/**
 * Asks whether the machines should go on. The command that watches them again is printed first: a second
 * Ctrl-C ends us. Without a terminal to ask, they are stopped.
 */
export async function askToLeave(reattach: string): Promise<boolean> {
  process.stderr.write(`daxrepro: to see the results later: ${reattach}\n`);
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question('Leave the chunks running, or cancel them? [L/c] ');
    return !/^\s*c/i.test(answer);
  } catch {
    // The terminal is gone, but the machines are not.
    return true;
  } finally {
    lines.close();
  }
}
