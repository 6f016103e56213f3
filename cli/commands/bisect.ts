import { resolve } from 'node:path';
import { answerOf } from '../bisect/answer.js';
import { Engine } from '../bisect/engine.js';
import { keepBisectionInputs } from '../bisect/keep.js';
import { GOOD } from '../bisect/plan.js';
import { type BisectOptions, type CheckedBisection, checkBisection } from '../bisect/request.js';
import { findingsOf, pathOf, percent } from '../bisect/result.js';
import { type BisectionState, findState, newState, writeState } from '../bisect/state.js';
import { type Subject, seriesSubject, treeSubject } from '../bisect/subject.js';
import { tallyOf } from '../bisect/tally.js';
import { isTreeItself } from '../bisect/tree.js';
import { KernelWork } from '../bisect/work.js';
import { describeTools } from '../compare/tools.js';
import { EXIT, failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { Unit } from '../plan/unit.js';
import { powerCutTools } from '../power-cut/tools.js';
import { formatBisectionMail } from '../report/bisect-mail.js';
import { formatBisectionForTerminal } from '../report/bisect-text.js';
import type { BisectionResult, Culprit, Ending } from '../results/bisect-result.js';
import { defaultRunsDirectory, makeRunDirectory, writeJson } from '../results/run-directory.js';
import { describeHost, guestsAtATime } from '../run/host.js';
import { shellQuote } from '../run/request.js';
import { packSuite } from '../run/suite.js';
import { cacheKey, defaultStore, storageFailure } from '../store/store.js';
import { findProgram } from '../system/programs.js';
import { version } from '../version.js';
import { ensureSystemFor, explain, inSession, type Session, terminalWidth } from './session.js';

/** `daxrepro bisect <fs> <test...>`: 0 where the change was found, 3 where it could not be told. */
export async function bisectCommand(
  fs: string,
  tests: string[],
  options: BisectOptions,
  argv: string[],
): Promise<number> {
  const kernel = await isTreeItself(options.kernel, options.tree ?? '.');
  const asked = kernel && options.tree !== undefined ? without(options) : options;
  const checked = checkBisection(fs, tests, asked);
  if (!checked.ok) return explain(checked.failure);
  return inSession(async (session) => {
    const ended = await bisect(checked.value, options, argv, session);
    return ended.ok ? ended.value : explain(ended.failure, session.reporter);
  });
}

function without({ kernel: _, ...options }: BisectOptions): BisectOptions {
  return options;
}

async function bisect(
  { of, limits, checked }: CheckedBisection,
  options: BisectOptions,
  argv: string[],
  session: Session,
): Promise<Outcome<number>> {
  const { reporter, signal } = session;
  const started = new Date();
  const { request } = checked;
  const changes = of.type === 'series' ? [of.file] : [];
  const system = await ensureSystemFor(request, changes, session);
  if (!system.ok) return system;
  const progress = reporter.progress.bind(reporter);
  const context = { store: defaultStore(), progress, signal };
  const cutting = await powerCutTools([request], context.store, signal);
  if (!cutting.ok) return cutting;
  const suite = await packSuite(request.suite, context);
  if (!suite.ok) return suite;
  const found =
    of.type === 'tree'
      ? await treeSubject(request, of, context)
      : await seriesSubject(request, of.file, context);
  if (!found.ok) return found;
  const subject = found.value;
  const begun = begin(subject, options, suite.value?.version, started);
  if (!begun.ok) return begun;
  const { directory, state } = begun.value;
  progress({ type: 'note', text: introduce(subject, state) });

  const checkpoints = options.checkpoint !== false;
  const { accelerator } = checked;
  const { signature } = options;
  const work = new KernelWork({
    ...{ subject, state, directory, accelerator, suite: suite.value, signature, checkpoints },
    ...{ powerCut: cutting.value, observer: reporter, context },
  });
  const units = planUnits(subject.request, '6.1');
  const engine = new Engine(
    subject.plan,
    state,
    {
      prepare: work.prepare,
      run: work.run,
      buildSeconds: work.buildSeconds,
      learned: (what, known, { decision }) => {
        writeState(directory, known);
        const text =
          what === 'run'
            ? describeRun(subject, known, decision.best.probability)
            : describeBuild(known);
        if (text) progress({ type: 'note', text });
      },
    },
    { limits, jobs: checked.jobs ?? guestsAtATime(units, checkpoints), signal },
  );
  const ended = await attempt(directory, () => engine.go());
  if (!ended.ok) {
    const go = `${state.runs.length} runs and ${state.builds.length} builds are kept; --resume goes on from there`;
    progress({ type: 'note', text: go });
    return ended;
  }
  const ending = ended.value;
  const culprits = await culpritsOf(subject, state, ending);
  const kept = await keepBisectionInputs(subject, state, {
    ...{ directory, suite: suite.value, checkpoints, kernels: [...work.kernels.values()] },
    ...{ store: context.store, signal },
  });
  if (!kept.ok) {
    const text = `what it was made of is not kept, so that it can be neither replayed nor bundled: ${kept.failure.message}`;
    progress({ type: 'note', text });
  }
  const qemu = work.qemu ?? findProgram('qemu-system-x86_64') ?? 'qemu-system-x86_64';
  const { tests, fs } = request;
  const result: BisectionResult = {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command: argv,
    question: {
      ...{ fs, tests, signature: signature ?? null, kernel: options.kernel ?? '' },
      ...subject.names,
      ...{ changes: subject.plan.changes.length, builds: subject.plan.builds.length },
      ...limits,
    },
    answer: answerOf(subject.plan, state, ending, culprits, limits),
    path: pathOf(subject.plan, state),
    runs: state.runs,
    builds: state.builds,
    host: await describeHost(qemu),
    tools: await describeTools([fs]),
    started: started.toISOString(),
    durationSeconds: Math.round((Date.now() - started.getTime()) / 10) / 100,
    directory,
  };
  reporter.end();
  return attempt(directory, async () => {
    writeJson(`${directory}/result.json`, result);
    process.stdout.write(`${print(result, options)}\n`);
    return success(ending.type === 'found' ? EXIT.ok : EXIT.noVerdict);
  });
}

/** Our own files can fail to be written at any point. */
async function attempt<Value>(
  directory: string,
  work: () => Promise<Outcome<Value>>,
): Promise<Outcome<Value>> {
  try {
    return await work();
  } catch (error) {
    return storageFailure(directory, error);
  }
}

/** Where the bisection is kept, and what it knows: nothing, or what an earlier one has learned. */
function begin(
  subject: Subject,
  options: BisectOptions,
  suite: string | undefined,
  started: Date,
): Outcome<{ directory: string; state: BisectionState }> {
  const { request, plan, names } = subject;
  // Where a value comes from is not what is asked.
  const { seed, timeout, suite: _, configured, ...asked } = request;
  const question = cacheKey({
    request: JSON.stringify(asked),
    suite: suite ?? request.suite.version,
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
      `There is no bisection of this question below ${parent}`,
      'Leave --resume out; or give the same options, and --out where that was given',
    );
  }
  const [unit] = planUnits(request, '6.1');
  const directory = makeRunDirectory(parent, unit as Unit, started);
  if (!directory.ok) return directory;
  const state = newState(question, seed);
  try {
    writeState(directory.value, state);
  } catch (error) {
    return storageFailure(directory.value, error);
  }
  return success({ directory: directory.value, state });
}

function introduce({ plan, names, request }: Subject, { runs }: BisectionState): string {
  const what = names.series ?? names.tree ?? '';
  const known = runs.length > 0 ? `; ${runs.length} runs are known already` : '';
  return `bisecting ${request.fs} ${request.tests.join(' ')} in ${shellQuote(what)}: ${plan.changes.length} changes, of which ${plan.builds.length - 1} make a difference to what is built${known}`;
}

function describeBuild({ builds }: BisectionState): string | undefined {
  const last = builds.at(-1);
  return last && !last.ok ? `skipped ${last.change.slice(0, 12)}: ${last.reason}` : undefined;
}

function describeRun({ plan }: Subject, state: BisectionState, probability: number): string {
  const { change = '', content, outcome = '', reason } = state.runs.at(-1) ?? {};
  const at = plan.builds.findIndex((build) => build.content === content);
  const { passes = 0, failures = 0 } = tallyOf(plan, state).runs[at] ?? {};
  const all = passes + failures > 1 ? ` (${failures} of ${passes + failures} failed)` : '';
  const why = outcome === 'unknown' ? `: ${reason}` : '';
  return `${outcome} ${change.slice(0, 12)}${all}${why}; the best answer is right with ${percent(probability)}`;
}

async function culpritsOf(
  { plan, facts }: Subject,
  state: BisectionState,
  ending: Ending,
): Promise<Culprit[]> {
  if (!('changes' in ending)) return [];
  const places = ending.changes.filter((change) => change !== GOOD);
  return Promise.all(
    places.map(async (change) => {
      const { id = '', title = '' } = plan.changes[change] ?? {};
      return { id, title, ...(await facts(change)), findings: findingsOf(state, id) };
    }),
  );
}

function print(result: BisectionResult, { json, mail }: BisectOptions): string {
  if (json) return JSON.stringify(result, null, 2);
  if (mail) return formatBisectionMail(result);
  return formatBisectionForTerminal(result, { width: terminalWidth() });
}
