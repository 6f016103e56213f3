import { resolve } from 'node:path';
import { type Job, openDirectory } from '../job/job.js';
import { failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { Unit } from '../plan/unit.js';
import { defaultRunsDirectory } from '../results/run-directory.js';
import { cacheKey, storageFailure } from '../store/store.js';
import type { BisectOptions } from './request.js';
import { type BisectionState, findState, newState, writeState } from './state.js';
import type { Subject } from './subject.js';

export interface OpenBisection {
  directory: string;
  /** Empty for a new bisection; the kept runs and builds for a resumed one. */
  state: BisectionState;
}

/** Opens the directory of a bisection: a new one, or with --resume the newest one of the same question. */
export function begin(subject: Subject, options: BisectOptions, job: Job): Outcome<OpenBisection> {
  const { request, plan, names } = subject;
  // Where a value was configured does not matter to the question.
  const { seed, timeout, suite: _, userTests: __, configured, ...asked } = request;
  const question = cacheKey({
    request: JSON.stringify(asked),
    'user tests': [...job.userTests.values()].map(({ sha256 }) => sha256).join(' '),
    suite: job.suite?.version ?? request.suite.version,
    names: JSON.stringify(names),
    builds: JSON.stringify(plan.builds),
    signature: options.signature ?? '',
  });
  const parent = resolve(options.out ?? defaultRunsDirectory());
  const earlier = findState(parent, question);
  if (options.resume) {
    if (earlier) return success(earlier);
    return failure(
      'usage',
      `No bisection with these options was found below ${parent}`,
      'Leave --resume out, or give the same options as before, including --out',
    );
  }
  const [unit] = planUnits(request, '6.1');
  const directory = openDirectory(job, parent, unit as Unit);
  if (!directory.ok) return directory;
  const state = newState(question, seed);
  try {
    writeState(directory.value, state);
  } catch (error) {
    return storageFailure(directory.value, error);
  }
  return success({ directory: directory.value, state });
}
