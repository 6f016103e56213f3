import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenJob } from '../job/job.js';
import { builtFileSystemModule, isBuiltIn } from '../kernel/file-system-module.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import type { BaseTest, Mutant, MutantEnding } from '../results/mutation-result.js';
import { unitFolder } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import { type EngineObserver, runAndJudge } from '../run/engine.js';
import { prepareModule } from '../run/prepare.js';
import { replayCommand } from '../run/replay-command.js';
import type { Variant } from '../variant/variant.js';
import { numbered } from '../words.js';
import { endingOf, mixesCuts, outcomeWithoutCuts, shouldGoOn } from './judge.js';
import { objectCode } from './object-code.js';

/** Builds mutants and runs tests on them in real guests. */

/** A test to run: the unit on the unchanged module, and the request that it comes from. */
export interface PlannedTest {
  unit: Unit;
  request: RunRequest;
}

export interface WorkOptions {
  tests: readonly PlannedTest[];
  /** With the unchanged module, built as mutants are. */
  prepared: Prepared;
  directory: string;
  checkpoints: boolean;
  job: OpenJob;
}

export class MutantWork {
  #code: Promise<string | undefined> | undefined;

  constructor(readonly options: WorkOptions) {}

  /** Runs one test on the unchanged module. */
  async base(test: PlannedTest): Promise<Outcome<BaseTest>> {
    const { prepared } = this.options;
    const ran = await this.#run(test, prepared, 'base', 'unchanged module');
    if (!ran.ok) return ran;
    const { verdict, reason, durationSeconds: seconds } = ran.value;
    return success({ ...keyOf(test), verdict, reason, seconds });
  }

  /** Builds a mutant and runs these tests on it, until one fails. */
  async mutant(mutant: Mutant, tests: readonly PlannedTest[]): Promise<Outcome<MutantEnding>> {
    const started = performance.now();
    const built = await this.#build(mutant);
    if (!built.ok) return built;
    const buildSeconds = secondsSince(started);
    const none = { test: null, finding: null, tests: 0, seconds: 0, folders: [], replay: null };
    if (built.value.outcome !== 'built') {
      const withoutPowerCut = mixesCuts(tests.map(keyOf)) ? built.value.outcome : null;
      return success({ ...none, ...built.value, withoutPowerCut, buildSeconds });
    }
    const { module } = built.value;
    const directory = `mutants/${numbered(mutant.number - 1)}`;
    const results: UnitResult[] = [];
    const folders: string[] = [];
    const begun = performance.now();
    for (const test of tests) {
      const changed = this.#changed(test, mutant);
      const prepared = { ...this.options.prepared, module };
      const ran = await this.#run(changed, prepared, directory, `mutant ${mutant.number}`);
      if (!ran.ok) return ran;
      results.push(ran.value);
      const folder = `${directory}/${unitFolder(changed.unit, this.#indexOf(changed))}`;
      // What passes needs no evidence, and there may be thousands.
      if (ran.value.verdict === 'pass') await this.#remove(folder);
      else folders.push(folder);
      if (!shouldGoOn(results)) break;
    }
    const ending = endingOf(results, tests.length);
    const seconds = secondsSince(begun);
    const withoutPowerCut = outcomeWithoutCuts(results, tests.map(keyOf));
    return success({
      ...ending,
      withoutPowerCut,
      tests: results.length,
      buildSeconds,
      seconds,
      folders,
    });
  }

  async #build(mutant: Mutant): Promise<Outcome<Built>> {
    const { prepared, job } = this.options;
    const { kernel } = prepared;
    const variant = this.#variant(mutant);
    const fs = this.#fs;
    const module = await prepareModule(kernel, fs, variant, { ...job, progress: quiet });
    if (!module.ok) {
      const { kind, message, detail } = module.failure;
      if (kind !== 'build-failed') return module;
      return success({ outcome: 'not-compiled', reason: firstError(detail) ?? message });
    }
    if (!module.value) return notAModule(fs, kernel.release);
    const code = await objectCode(module.value.file);
    if (code !== undefined && code === (await this.#baseCode())) {
      return success({ outcome: 'identical', reason: 'it compiles to the same object code' });
    }
    return success({ outcome: 'built', module: module.value });
  }

  #baseCode(): Promise<string | undefined> {
    this.#code ??= objectCode(this.options.prepared.module?.file ?? '');
    return this.#code;
  }

  async #run(
    { unit, request }: PlannedTest,
    prepared: Prepared,
    directory: string,
    what: string,
  ): Promise<Outcome<UnitResult>> {
    const { job, checkpoints } = this.options;
    const place = join(this.options.directory, directory);
    await mkdir(place, { recursive: true });
    const result = await runAndJudge(unit, this.#indexOf({ unit, request }), {
      ...{ prepared: () => prepared, directory: place, jobs: 1, store: job.store, checkpoints },
      progress: job.progress,
      replay: (one) => replayCommand(one, request),
      observer: observerOf(job, what),
      signal: job.signal,
    });
    if (job.signal.aborted) return interrupted();
    if (result.ending !== 'storage') return success(result);
    return failure('storage', result.reason, `Free some space, then ${CONTINUE}`);
  }

  /** The test's number in the list of all tests. */
  #indexOf({ unit: { test, powerCut } }: PlannedTest): number {
    return this.options.tests.findIndex(
      ({ unit }) =>
        unit.test === test && (unit.powerCut === undefined) === (powerCut === undefined),
    );
  }

  #changed({ unit, request }: PlannedTest, mutant: Mutant): PlannedTest {
    const variant = this.#variant(mutant);
    return { unit: { ...unit, variant: variant.name }, request: { ...request, variant } };
  }

  #variant({ number, patch }: Mutant): Variant {
    const changes = [join(this.options.directory, patch)];
    return { name: `mutant-${numbered(number - 1)}`, changes };
  }

  get #fs() {
    return (this.options.tests[0] as PlannedTest).unit.fs;
  }

  #remove(folder: string): Promise<void> {
    return rm(join(this.options.directory, folder), { recursive: true, force: true });
  }
}

type Built =
  | { outcome: 'built'; module: NonNullable<Prepared['module']> }
  | { outcome: 'not-compiled' | 'identical'; reason: string };

const CONTINUE = 'repeat the command with --resume to continue';

/** Each mutant is announced by what became of it. */
function quiet(): void {}

export function interrupted() {
  return failure('interrupted', 'Interrupted', `To continue, ${CONTINUE}`);
}

export function notAModule(fs: string, release: string) {
  return failure(
    'usage',
    `${release} has ${fs} built in, so no module can replace it`,
    'Use a kernel that has it as a module, such as --kernel debian:6.1',
  );
}

/** The module of the unchanged sources, built as mutants are, even if the kernel has one of its own. */
export async function unchangedModule(
  { kernel }: Pick<Prepared, 'kernel'>,
  fs: RunRequest['fs'],
  job: OpenJob,
): Promise<Outcome<NonNullable<Prepared['module']>>> {
  if (await isBuiltIn(kernel, fs)) return notAModule(fs, kernel.release);
  const module = await builtFileSystemModule(kernel, fs, undefined, job);
  if (!module.ok) return module;
  return success({ ...module.value, bytes: await readFile(module.value.file) });
}

/** What tells a test apart: it may run both with and without power cuts. */
export function keyOf({ unit }: PlannedTest): Pick<BaseTest, 'test' | 'powerCut'> {
  return { test: unit.test, powerCut: unit.powerCut !== undefined };
}

function observerOf(job: OpenJob, what: string): EngineObserver {
  return {
    unitStarted: () => {},
    unitStep: ({ test }, _, step) => {
      job.progress({ type: 'detail', text: `${what}: ${test}: ${step}` });
    },
    unitFinished: () => {},
  };
}

/** The compiler's first error, without the path of our build. */
function firstError(detail: string | undefined): string | undefined {
  const [, error] = /\berror: (.*)/.exec(detail ?? '') ?? [];
  return error === undefined ? undefined : `the compiler says: ${error}`;
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 10) / 100;
}
