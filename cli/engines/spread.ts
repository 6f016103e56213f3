import { type Collected, collect } from '../chunks/collect.js';
import type { PlannedRun } from '../chunks/planned-run.js';
import { readPlan } from '../chunks/read-plan.js';
import type { Plan } from '../chunks/schema.js';
import { writePlan } from '../chunks/write-plan.js';
import { openDirectory } from '../job/job.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { shellQuote } from '../shell-quote.js';
import { plural } from '../words.js';
import { type Engine, keepState, newState, readState } from './engine.js';
import { type EngineRequest, widthOf } from './request.js';
import { Slurm } from './slurm.js';
import { Ssh } from './ssh.js';
import { type WatchContext, watch } from './watch.js';

/** Runs a plan with an engine: plan, submit, watch, collect. */

export interface SpreadContext extends WatchContext {
  /** After Ctrl-C: whether the machines go on without us. */
  leave: (reattach: string) => Promise<boolean>;
}

export type Spread =
  | { type: 'collected'; collected: Collected }
  /** The command that goes on watching. */
  | { type: 'left'; reattach: string };

/** Seconds of a chunk. With fewer units, chunks are shorter, so that all machines get some. */
const TARGET = 600;

/** Chunks for each place where one can run: a slow machine then takes fewer of them. */
const CHUNKS_PER_PLACE = 2;

function engineOf(directory: string, plan: Plan, request: EngineRequest): Engine {
  return request.type === 'slurm'
    ? new Slurm(directory, plan, request)
    : new Ssh(directory, plan, request);
}

/** @param out path for the run's directory; undefined: the default */
export async function spread(
  run: PlannedRun,
  request: EngineRequest,
  out: string | undefined,
  context: SpreadContext,
): Promise<Outcome<Spread>> {
  const [first] = run.units;
  const made = openDirectory(run.job, out, first?.unit as Unit);
  if (!made.ok) return made;
  const directory = made.value;
  const least = CHUNKS_PER_PLACE * widthOf(request);
  const written = await writePlan(run, directory, { target: TARGET, least });
  if (!written.ok) return written;
  const plan = written.value;
  if (context.signal.aborted) return failure('interrupted', 'Interrupted', 'Start it again');
  const engine = engineOf(directory, plan, request);
  const state = newState(plan, request);
  if (plan.chunks.length > 0) {
    const all = plan.chunks.map((_, at) => at + 1);
    const submitted = await engine.submit(all, []);
    if (!submitted.ok) return submitted;
    state.submissions.push(submitted.value);
  }
  keepState(directory, state);
  const text = `${plural(plan.chunks.length, 'chunk')} handed to ${request.type}; results appear in ${directory}`;
  context.reporter.progress({ type: 'note', text });
  return attend(directory, plan, request, context);
}

/** Watches a run that was started before. */
export async function reattach(
  directory: string,
  context: SpreadContext,
): Promise<Outcome<Spread>> {
  const plan = readPlan(directory);
  if (!plan.ok) return plan;
  const state = readState(directory, plan.value);
  return state.ok ? attend(directory, plan.value, state.value.request, context) : state;
}

async function attend(
  directory: string,
  plan: Plan,
  request: EngineRequest,
  context: SpreadContext,
): Promise<Outcome<Spread>> {
  const state = readState(directory, plan);
  if (!state.ok) return state;
  const engine = engineOf(directory, plan, request);
  const ended = await watch(directory, engine, state.value, context);
  if (!ended.ok) return ended;
  const command = `daxrepro collect ${shellQuote(directory)} --wait`;
  if (ended.value === 'silent') {
    const text = `${request.type} does not answer. Its chunks may still run: ${command}`;
    context.reporter.progress({ type: 'note', text });
    return success({ type: 'left', reattach: command });
  }
  if (ended.value === 'interrupted' && (await context.leave(command))) {
    return success({ type: 'left', reattach: command });
  }
  // Nothing is left running, whatever the engine believes.
  await engine.cancel(state.value.submissions);
  const collected = collect(directory);
  return collected.ok ? success({ type: 'collected', collected: collected.value }) : collected;
}
