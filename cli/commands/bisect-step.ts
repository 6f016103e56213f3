import { resolve } from 'node:path';
import { outcomeOf, outcomeOfAll } from '../bisect/outcome.js';
import { STEP_EXIT, stepExitOf, stepExitOfFailure } from '../bisect/step-exit.js';
import { type StepOptions, stepJob } from '../bisect/step-job.js';
import { isTreeItself } from '../bisect/tree.js';
import { type JobResult, openJob } from '../job/job.js';
import { EXIT, type Failure } from '../outcome.js';
import { formatSummary } from '../report/summary.js';
import { checkRequest } from '../run/request.js';
import { explain, inSession, keepResult, print, type Session, wantsColour } from './session.js';
import { withSuite } from './suite.js';

/** `daxrepro bisect run <fs> <test...>`, the command of `git bisect run`: exit codes as in step-exit.ts. */
export async function bisectStepCommand(
  fs: string,
  tests: string[],
  options: StepOptions,
  argv: string[],
): Promise<number> {
  const itself = await isTreeItself(options.kernel, options.tree);
  const kernel = itself ? `src:${resolve(options.tree)}` : (options.kernel as string);
  const overlaid = await withSuite(tests, { ...options, kernel });
  if (!overlaid.ok) return stop(overlaid.failure);
  const checked = checkRequest(fs, overlaid.value.words, overlaid.value.options);
  if (!checked.ok) return stop(checked.failure);
  return inSession(async (session) => {
    const step = { checked: checked.value, options: { ...options, kernel }, itself };
    const ran = await stepJob(step, openJob(argv, session));
    if (ran.ok) return conclude(ran.value, options, session);
    return session.signal.aborted ? EXIT.interrupted : stop(ran.failure, session);
  });
}

function stop(failed: Failure, session?: Session): number {
  explain(failed, session?.reporter);
  const code = stepExitOfFailure(failed);
  say(code === STEP_EXIT.unknown ? WORDS.unknown : WORDS.broken);
  return code;
}

function conclude(result: JobResult, options: StepOptions, session: Session): number {
  session.reporter.end();
  const outcome = outcomeOfAll(result.units.map((unit) => outcomeOf(unit, options.signature)));
  const interrupted = session.signal.aborted;
  // A result that could not be kept is a broken harness too.
  const kept = keepResult(result, STEP_EXIT.good, session) !== EXIT.noVerdict;
  print(options.json ? result : formatSummary(result, { colour: wantsColour() }));
  if (interrupted) return EXIT.interrupted;
  say(kept ? WORDS[outcome] : WORDS.broken);
  return kept ? stepExitOf(outcome) : STEP_EXIT.stop;
}

const WORDS = {
  good: 'good',
  bad: 'bad',
  unknown: 'no verdict: this commit is skipped',
  broken: 'the bisection stops',
} as const;

function say(text: string): void {
  process.stderr.write(`daxrepro: git bisect: ${text}\n`);
}
