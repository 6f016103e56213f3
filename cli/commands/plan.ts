import { resolve } from 'node:path';
import { type PlannedRun, plannedComparison, plannedRun } from '../chunks/planned-run.js';
import { planRerun } from '../chunks/rerun.js';
import type { Plan } from '../chunks/schema.js';
import { writePlan } from '../chunks/write-plan.js';
import { type CompareOptions, requestedCase } from '../compare/case-flags.js';
import { prepareComparison } from '../compare/job.js';
import { planComparison } from '../compare/plan.js';
import { openJob } from '../job/job.js';
import { prepareRun } from '../job/run.js';
import { parseSeconds } from '../options.js';
import { EXIT, failure, type Outcome, success } from '../outcome.js';
import { formatPlan, planDocument } from '../report/plan-text.js';
import { checkRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { explain, inSession, print, type Session } from './session.js';
import { withSuite } from './suite.js';

export interface PlanOptions {
  into: string;
  chunk: string;
  json?: boolean;
}

/** `daxrepro plan run` */
export async function planRunCommand(
  fs: string | undefined,
  tests: string[],
  options: RunOptions & PlanOptions,
  argv: string[],
): Promise<number> {
  if (fs === undefined) {
    const named = failure('usage', 'No file system is named', 'Name ext2, ext4 or xfs, then tests');
    return explain(named.failure);
  }
  const overlaid = await withSuite(tests, options);
  if (!overlaid.ok) return explain(overlaid.failure);
  const checked = checkRequest(fs, overlaid.value.words, overlaid.value.options);
  if (!checked.ok) return explain(checked.failure);
  return plan(options, argv, async (command, session) => {
    const ready = await prepareRun(checked.value, options, openJob(command, session));
    return ready.ok ? success(plannedRun(checked.value, options, ready.value)) : ready;
  });
}

/** `daxrepro plan compare` */
export async function planCompareCommand(
  file: string | undefined,
  options: CompareOptions & PlanOptions,
  argv: string[],
): Promise<number> {
  const asked = await requestedCase(file, options);
  if (!asked.ok) return explain(asked.failure);
  const cells = planComparison(asked.value, options);
  if (!cells.ok) return explain(cells.failure);
  return plan(options, argv, async (command, session) => {
    const job = openJob(command, session);
    const ready = await prepareComparison(asked.value, cells.value, options, job);
    return ready.ok ? success(plannedComparison(options, ready.value)) : ready;
  });
}

async function plan(
  options: PlanOptions,
  argv: string[],
  prepare: (command: string[], session: Session) => Promise<Outcome<PlannedRun>>,
): Promise<number> {
  const target = parseSeconds(options.chunk);
  if (!target.ok) return explain(target.failure);
  const directory = resolve(options.into);
  return inSession(async (session) => {
    const ready = await prepare(withoutPlan(argv), session);
    if (!ready.ok) return ready;
    const written = await writePlan(ready.value, directory, { target: target.value });
    if (!written.ok) return written;
    session.reporter.end();
    return success(printPlan(directory, written.value, options));
  });
}

/** The command of the run without the options of the plan. */
function withoutPlan(argv: readonly string[]): string[] {
  const own = /^--(?:into|chunk)$/;
  return argv.filter(
    (word, at) =>
      !own.test(word) && !/^--(?:into|chunk)=/.test(word) && !own.test(argv[at - 1] ?? ''),
  );
}

/** `daxrepro plan --rerun DIR` */
export async function planRerunCommand({
  rerun,
  chunk,
  json,
}: Pick<PlanOptions, 'chunk' | 'json'> & { rerun?: string }): Promise<number> {
  const target = parseSeconds(chunk);
  if (!target.ok) return explain(target.failure);
  if (rerun === undefined) {
    const how = 'Use `daxrepro plan run …`, `daxrepro plan compare …`, or --rerun DIR';
    return explain(failure('usage', 'Nothing is named to plan', how).failure);
  }
  const directory = resolve(rerun);
  const planned = planRerun(directory, { target: target.value });
  if (!planned.ok) return explain(planned.failure);
  return printPlan(directory, planned.value.plan, { json: json === true });
}

function printPlan(directory: string, plan: Plan, { json }: { json?: boolean }): number {
  print(json ? planDocument(directory, plan) : formatPlan(directory, plan));
  return EXIT.ok;
}
