import type { Prepared } from '../launch/prepared.js';
import type { Failure, Outcome } from '../outcome.js';
import type { Ending, Limits, RunEntry } from '../results/bisect-result.js';
import { classesOf } from './decide.js';
import { type BisectionPlan, GOOD } from './plan.js';
import { failureExpected, nextStep, type Step } from './policy.js';
import type { BisectionState } from './state.js';
import { tallyOf } from './tally.js';

/**
 * Drives a bisection: builds and runs what the policy asks for, several guests at a time, and builds
 * ahead what the policy will probably ask for next. It knows nothing about git and guests.
 */

export interface BisectionWork {
  /** Makes the kernel, modules and guest image of a build, or finds them in the cache. */
  prepare: (build: number, signal: AbortSignal) => Promise<Outcome<Prepared>>;
  /** Does one run. It fails if it was interrupted, or for a reason outside of the kernel. */
  run: (
    build: number,
    prepared: Prepared,
    attempt: number,
    signal: AbortSignal,
  ) => Promise<Outcome<Omit<RunEntry, 'content' | 'change' | 'attempt'>>>;
  /** The expected duration of a build, in seconds. */
  buildSeconds: (build: number) => number;
  /** Called after each run and each build; the new entry is the last one in the state. */
  learned: (what: 'run' | 'build', state: BisectionState, step: Step) => void;
}

export interface EngineOptions {
  limits: Limits;
  /** Guests at a time. */
  jobs: number;
  signal: AbortSignal;
}

/** The assumed duration of a run in seconds, until one was measured. */
const RUN_SECONDS = 3;

/** A run must give at least this share of the best run's information to be worth its time. */
const WORTH_A_WAIT = 0.1;

/** Whether the cause is in the sources of the build, so that only this build is untestable. */
function isCausedBySources({ kind }: Failure): boolean {
  return kind === 'build-failed' || kind === 'change-rejected';
}

export class Engine {
  readonly #prepared = new Map<number, Prepared>();
  readonly #running = new Map<number, { build: number; attempt: number }>();
  readonly #stop = new AbortController();
  #building: number | undefined;
  #classes: { key: string; classes: number[][] } | undefined;
  #failure: Failure | undefined;
  #runs = 0;

  constructor(
    readonly plan: BisectionPlan,
    readonly state: BisectionState,
    readonly work: BisectionWork,
    readonly options: EngineOptions,
  ) {}

  /** @returns how the bisection ended; its runs and builds are in the state */
  async go(): Promise<Outcome<Ending>> {
    const { signal } = this.options;
    const abort = () => this.#stop.abort();
    signal.addEventListener('abort', abort, { once: true });
    const tasks = new Map<number, Promise<void>>();
    const start = (task: Promise<void>) => {
      const id = this.#runs++;
      tasks.set(
        id,
        task.finally(() => tasks.delete(id)),
      );
    };
    try {
      for (;;) {
        if (signal.aborted) return interrupted();
        if (this.#failure) return { ok: false, failure: this.#failure };
        const step = this.#next();
        if (step.type === 'end') return { ok: true, value: step.ending };
        this.#startWhatIsFree(start);
        await Promise.race(tasks.values());
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#stop.abort();
      await Promise.allSettled(tasks.values());
    }
  }

  /** The policy's next step. @param expecting also count the running guests with their likely outcomes */
  #next(expecting = false, testable: (build: number) => boolean = () => true): Step {
    const expected = expecting
      ? [...this.#running.values()].map(({ build }) => ({ build, fails: this.#expects(build) }))
      : [];
    const known = tallyOf(this.plan, this.state, expected);
    const untestable = new Set(known.untestable);
    for (const build of this.plan.builds.keys()) if (!testable(build)) untestable.add(build);
    const { question } = this.plan;
    const key = [...known.untestable].join();
    if (this.#classes?.key !== key) {
      this.#classes = { key, classes: classesOf(question, known.untestable) };
    }
    const { classes } = this.#classes;
    const seconds = mean(this.state.runs.map((run) => run.seconds)) ?? RUN_SECONDS;
    const cost = (build: number) =>
      seconds + (this.#isBuilt(build) ? 0 : this.work.buildSeconds(build));
    return nextStep(this.plan, { ...known, untestable }, classes, cost, this.options.limits);
  }

  #expects(build: number): boolean {
    return failureExpected(this.plan, this.#next().decision, build) > 0.5;
  }

  #isBuilt(build: number): boolean {
    const { content } = this.plan.builds[build] ?? {};
    return (
      this.#prepared.has(build) ||
      this.state.builds.some((one) => one.ok && one.content === content)
    );
  }

  #startWhatIsFree(start: (task: Promise<void>) => void): void {
    while (this.#running.size < this.options.jobs) {
      const step = this.#next(this.#running.size > 0);
      if (step.type === 'end') {
        // The bisection ends if the running guests end as expected, so start no others.
        return;
      }
      if (this.#prepared.has(step.build)) {
        start(this.#run(step.build));
        continue;
      }
      if (this.#building === undefined) start(this.#build(step.build));
      // During the build, a run of an existing build may still be useful.
      const meanwhile = this.#next(true, (build) => this.#prepared.has(build));
      if (meanwhile.type === 'end' || !this.#prepared.has(meanwhile.build)) return;
      const { information } = step.decision;
      const best = information[step.build] ?? 0;
      const other = meanwhile.decision.information[meanwhile.build] ?? 0;
      if (best === 0 || other < WORTH_A_WAIT * best) return;
      start(this.#run(meanwhile.build));
    }
    if (this.#building !== undefined) return;
    const ahead = this.#next(true);
    if (ahead.type === 'run' && !this.#prepared.has(ahead.build)) start(this.#build(ahead.build));
  }

  async #build(build: number): Promise<void> {
    this.#building = build;
    const { content, change } = this.plan.builds[build] as BisectionPlan['builds'][number];
    const started = performance.now();
    const prepared = await this.work.prepare(build, this.#stop.signal);
    this.#building = undefined;
    if (this.#stop.signal.aborted) return;
    const seconds = Math.round((performance.now() - started) / 10) / 100;
    const entry = { content, change: this.#nameOf(change), seconds };
    if (prepared.ok) {
      this.#prepared.set(build, prepared.value);
      if (!this.#isKnown(content)) this.state.builds.push({ ...entry, ok: true });
    } else if (isCausedBySources(prepared.failure)) {
      const { message: reason } = prepared.failure;
      this.state.builds.push({ ...entry, ok: false, reason });
    } else {
      this.#failure = prepared.failure;
      return;
    }
    this.#learned('build');
  }

  async #run(build: number): Promise<void> {
    const { content, change } = this.plan.builds[build] as BisectionPlan['builds'][number];
    const done = this.state.runs.filter((run) => run.content === content);
    const under = [...this.#running.values()].filter((run) => run.build === build);
    const taken = new Set([...done, ...under].map(({ attempt }) => attempt));
    let attempt = 1;
    while (taken.has(attempt)) attempt += 1;
    const id = this.#runs++;
    this.#running.set(id, { build, attempt });
    const prepared = this.#prepared.get(build) as Prepared;
    const ran = await this.work.run(build, prepared, attempt, this.#stop.signal);
    this.#running.delete(id);
    if (this.#stop.signal.aborted) return;
    if (!ran.ok) {
      this.#failure = ran.failure;
      return;
    }
    this.state.runs.push({ content, change: this.#nameOf(change), attempt, ...ran.value });
    this.#learned('run');
  }

  #isKnown(content: string): boolean {
    return this.state.builds.some((one) => one.content === content && one.ok);
  }

  #nameOf(change: number): string {
    return change === GOOD ? 'good' : (this.plan.changes[change]?.id ?? '');
  }

  #learned(what: 'run' | 'build'): void {
    const step = this.#next();
    const last = this.state.runs.at(-1);
    if (what === 'run' && last) last.probability = step.decision.best.probability;
    this.work.learned(what, this.state, step);
  }
}

function interrupted(): Outcome<never> {
  const message = 'The bisection was interrupted';
  return {
    ok: false,
    failure: {
      kind: 'interrupted',
      message,
      remedy: 'Repeat the command with --resume to continue',
    },
  };
}

export function mean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}
