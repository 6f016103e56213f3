import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Job, type OpenJob, openDirectory, setUp } from '../job/job.js';
import { ensureSystemFor } from '../job/system.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { BaseTest, MutationResult, TestedMutant } from '../results/mutation-result.js';
import { defaultRunsDirectory, writeJson } from '../results/run-directory.js';
import { describeHost, guestsAtATime } from '../run/host.js';
import { prepare } from '../run/prepare.js';
import { withVersions } from '../run/suite.js';
import { describeTools } from '../run/tools.js';
import { cacheKey, orStorageFailure } from '../store/store.js';
import { ensureSystem } from '../system/install.js';
import { variantKernel } from '../variant/kernel.js';
import { BASE } from '../variant/variant.js';
import { version } from '../version.js';
import { runMutants } from './engine.js';
import { type Generation, generateMutants, writePatches } from './generate.js';
import { scoreOf, scoreWithoutCuts } from './judge.js';
import { noteOf } from './notes.js';
import type { CheckedMutation, MutateOptions } from './request.js';
import { findState, keptEnding, type MutationState, newState, writeState } from './state.js';
import { MutantWork, type PlannedTest, unchangedModule } from './work.js';

/** `daxrepro mutate`: makes mutants of a file system, and runs tests on them. */

/** The document in the run's directory. */
export const MUTATION_FILE = 'mutation.json';

/** The mutants alone: needs no guest, and no emulator. */
export async function listMutants(
  checked: CheckedMutation,
  open: OpenJob,
): Promise<Outcome<Generation & { kernel: Kernel }>> {
  const [{ request }] = checked.requests;
  const { kernel: spec, build = {}, fs } = request;
  const system = await ensureSystemFor({ kernel: spec, build, changes: [] }, open);
  if (!system.ok) return system;
  const tools = await ensureSystem(['semantic-patches', 'patches'], open);
  if (!tools.ok) return tools;
  const found = await variantKernel(spec, BASE, build, open);
  if (!found.ok) return found;
  const { kernel } = found.value;
  const generated = await generateMutants(kernel, fs, checked, open);
  return generated.ok ? success({ ...generated.value, kernel }) : generated;
}

export interface Mutated {
  result: MutationResult;
  sources: ReadonlyMap<string, string>;
}

export async function mutateJob(
  checked: CheckedMutation,
  options: MutateOptions,
  open: OpenJob,
): Promise<Outcome<Mutated>> {
  const requests = checked.requests.map(({ request }) => request);
  const { accelerator } = checked.requests.at(-1) as CheckedMutation['requests'][number];
  const job = await setUp(open, requests, { changes: [], accelerator });
  if (!job.ok) return job;
  const tools = await ensureSystem(['semantic-patches', 'patches'], open);
  if (!tools.ok) return tools;
  const prepared = await prepareUnchanged(checked, accelerator, job.value);
  if (!prepared.ok) return prepared;
  const { fs } = checked.requests[0].request;
  const generated = await generateMutants(prepared.value.kernel, fs, checked, open);
  if (!generated.ok) return generated;
  const tests = plannedTests(checked, prepared.value, job.value);
  const begun = begin(checked, tests, options, prepared.value, job.value);
  if (!begun.ok) return begun;
  const run = {
    ...{ ...begun.value, ...generated.value, checked, options, tests },
    ...{ prepared: prepared.value, job: job.value },
  };
  return orStorageFailure(run.directory, async () => {
    await writePatches(run.mutants, run.directory);
    const ran = await runAll(run);
    if (!ran.ok) return explainResume(run, ran);
    const result = await resultOf(run);
    writeJson(join(run.directory, MUTATION_FILE), result);
    return success({ result, sources: await sourcesOf(result, run.prepared.kernel) });
  });
}

/** The unchanged files with mutants, by their paths: for a page that shows them. */
async function sourcesOf(
  { mutants }: MutationResult,
  { build }: Kernel,
): Promise<Mutated['sources']> {
  const sources = new Map<string, string>();
  for (const { file } of mutants) {
    if (sources.has(file)) continue;
    sources.set(file, await readFile(join(build?.source ?? '', file), 'utf8'));
  }
  return sources;
}

interface MutationRun extends Generation {
  checked: CheckedMutation;
  options: MutateOptions;
  tests: PlannedTest[];
  prepared: Prepared;
  job: Job;
  directory: string;
  state: MutationState;
}

async function prepareUnchanged(
  { requests: [{ request }] }: CheckedMutation,
  accelerator: CheckedMutation['requests'][0]['accelerator'],
  job: Job,
): Promise<Outcome<Prepared>> {
  const { kernel, fs, build } = request;
  const how = { kernel, fs, variant: BASE, build, accelerator, suite: job.suite };
  const prepared = await prepare(how, job);
  if (!prepared.ok) return prepared;
  const module = await unchangedModule(prepared.value, fs, job);
  if (!module.ok) return module;
  const { powerCut, userTests } = job;
  return success({ ...prepared.value, module: module.value, powerCut, userTests });
}

function plannedTests(
  { requests }: CheckedMutation,
  { kernel }: Prepared,
  job: Job,
): PlannedTest[] {
  return requests.flatMap(({ request: asked }) => {
    const request = { ...withVersions(asked, job), kernel: kernel.spec };
    return planUnits(request, kernel.release).map((unit) => ({ unit, request }));
  });
}

/** Opens the directory: a new one, or with --resume the newest one of the same question. */
function begin(
  { requests, operators, scope }: CheckedMutation,
  tests: readonly PlannedTest[],
  options: MutateOptions,
  { kernel, module }: Prepared,
  job: Job,
): Outcome<{ directory: string; state: MutationState }> {
  const asked = requests.map(({ request: { configured: _, suite, ...request } }) => ({
    ...request,
    suite: job.suite?.version ?? suite.version,
    userTests: [...job.userTests.values()].map(({ sha256 }) => sha256),
  }));
  const question = cacheKey({
    requests: JSON.stringify(asked),
    ...{ kernel: kernel.id, module: module?.sha256 ?? '' },
    operators: JSON.stringify(operators),
    functions: scope.functions,
    files: scope.files.join(' '),
  });
  const parent = resolve(options.out ?? defaultRunsDirectory());
  const earlier = options.resume ? findState(parent, question) : undefined;
  if (earlier) return success(earlier);
  if (options.resume) {
    return failure(
      'usage',
      `No run of mutants with these options was found below ${parent}`,
      'Leave --resume out, or give the same options as before, including --out',
    );
  }
  const first = (tests[0] as PlannedTest).unit;
  const directory = openDirectory(job, parent, { fs: first.fs, test: 'mutants' });
  return directory.ok
    ? success({ directory: directory.value, state: newState(question) })
    : directory;
}

function runAll(run: MutationRun): Promise<Outcome<void>> {
  const { checked, options, tests, prepared, job, directory, state, mutants } = run;
  const checkpoints = options.checkpoint !== false;
  const units = tests.map(({ unit }) => unit);
  const jobs = checked.requests[0].jobs ?? guestsAtATime(units, checkpoints);
  const work = new MutantWork({ tests, prepared, directory, checkpoints, job });
  const learned = (what: BaseTest | TestedMutant) => {
    writeState(directory, state);
    job.progress({ type: 'note', text: noteOf(what, state, { tests: tests.length, mutants }) });
  };
  return runMutants(
    state,
    { base: (test) => work.base(test), mutant: (mutant, own) => work.mutant(mutant, own) },
    { tests, mutants, jobs, learned },
  );
}

function explainResume({ job, state, directory }: MutationRun, ran: Outcome<void>) {
  if (state.base.length > 0) {
    const text = `${state.mutants.length} mutants are kept in ${directory}; continue with --resume`;
    job.progress({ type: 'note', text });
  }
  return ran as Extract<typeof ran, { ok: false }>;
}

async function resultOf(run: MutationRun): Promise<MutationResult> {
  const { checked, prepared, job, state, directory, candidates } = run;
  const { request } = checked.requests[0];
  const { spec, release, id } = prepared.kernel;
  const { name, version: suiteVersion } = withVersions(request, job).suite;
  // A resumed run may have kept more than it was asked for now.
  const mutants = run.mutants.flatMap((mutant) => {
    const kept = keptEnding(state, mutant.diff);
    return kept ? [kept] : [];
  });
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command: job.argv,
    question: {
      ...{ fs: request.fs, kernel: { spec, release, id } },
      ...{ suite: { name, version: suiteVersion }, pmem: request.pmem },
      powerCut: checked.requests.some((one) => one.request.powerCut),
      ...{ seed: checked.seed, limit: checked.limit },
      operators: checked.operators.map((one) => one.name),
      ...{ files: checked.scope.files, functions: checked.scope.functions },
    },
    ...{ candidates, drawn: run.mutants.length },
    ...scoreOf(mutants),
    withoutPowerCut: scoreWithoutCuts(mutants),
    ...{ base: state.base, mutants },
    host: await describeHost(prepared.powerCut?.qemu ?? prepared.qemu),
    tools: await describeTools([request.fs], job.userland),
    started: job.started.toISOString(),
    durationSeconds: Math.round((Date.now() - job.started.getTime()) / 10) / 100,
    directory,
  };
}
