import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JobReporter } from '../job/job.js';
import type { KernelContext } from '../kernel/kernel.js';
import { ImageBudget } from '../launch/images.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { UnitResult } from '../results/run-result.js';
import { runUnits } from '../run/engine.js';
import { Explainer } from '../run/explain.js';
import { guestsAtATime } from '../run/host.js';
import { storageFailure } from '../store/store.js';
import { expectationFor } from '../suite/expected.js';
import { type Here, prepareHere } from './here.js';
import { programHash } from './identity.js';
import { newSession, readNotes, removeDeadWork, WORK, writeNote } from './notes.js';
import { readPlan, readUnits } from './read-plan.js';
import type { MachineNote, Plan, PlannedFile, PlannedUnit } from './schema.js';
import { publishUnit, readUnitState } from './unit-file.js';
import { AFTER } from './write-plan.js';

/** Runs one chunk of a plan on this machine. */

export interface ChunkContext extends KernelContext {
  reporter: JobReporter;
  signal: AbortSignal;
}

export interface ChunkRun {
  /** Units of the chunk. */
  units: number;
  /** Units that had a whole result before. */
  before: number;
  /** Units without a whole result now. */
  missing: number;
  /** Why: one clause without the full stop. */
  problem?: string;
}

/**
 * @param number of the chunk, from 1
 * @param jobs guests at a time; undefined: as many as this machine can hold
 */
export async function runChunk(
  directory: string,
  number: number,
  jobs: number | undefined,
  context: ChunkContext,
): Promise<Outcome<ChunkRun>> {
  const plan = readPlan(directory);
  if (!plan.ok) return plan;
  const own = checkProgram(directory, plan.value);
  if (!own.ok) return own;
  const chunk = plan.value.chunks[number - 1];
  if (!chunk) {
    const { length } = plan.value.chunks;
    return failure(
      'usage',
      `The plan in ${directory} has no chunk ${number}`,
      length > 0 ? `Give a number from 1 to ${length}` : 'Every unit has a verdict: collect it',
    );
  }
  const units = readUnits(directory, chunk);
  if (!units.ok) return units;
  const isMissing = (one: PlannedUnit) =>
    readUnitState(directory, one, plan.value.id).state !== 'whole';
  const open = units.value.filter(isMissing);
  const before = units.value.length - open.length;
  if (open.length === 0) return success({ units: units.value.length, before, missing: 0 });
  removeDeadWork(directory);
  const problem = await runOpen(open, { directory, plan: plan.value, chunk, jobs, context });
  if (!problem.ok) return problem;
  const missing = open.filter(isMissing).length;
  return success({
    ...{ units: units.value.length, before, missing },
    ...(problem.value === undefined ? {} : { problem: problem.value }),
  });
}

/** Another version might judge differently. */
function checkProgram(directory: string, { tool }: Plan): Outcome<void> {
  if (tool.program === programHash()) return success(undefined);
  return failure(
    'usage',
    'The plan was made by another version of daxrepro than this one',
    `Use the copy in the plan: node ${join(directory, 'program/dist/main.js')} chunk …`,
  );
}

interface Opened {
  directory: string;
  plan: Plan;
  chunk: PlannedFile & { limit: number };
  jobs: number | undefined;
  context: ChunkContext;
}

/** @returns why units have no result, if any has none */
async function runOpen(
  open: readonly PlannedUnit[],
  opened: Opened,
): Promise<Outcome<string | undefined>> {
  const { directory, plan, chunk, context } = opened;
  const session = newSession();
  const work = join(directory, WORK, session);
  const here = await prepareHere(directory, plan, open, context);
  if (!here.ok) return here;
  const { machine, accelerator } = here.value;
  const note: MachineNote = {
    ...{ schemaVersion: 1, plan: plan.id, chunk: chunk.name, session, machine, accel: accelerator },
    ...{ started: Date.now(), imageBytes: 0 },
  };
  try {
    mkdirSync(work, { recursive: true });
    writeNote(directory, note);
  } catch (error) {
    return storageFailure(directory, error);
  }
  try {
    const ran = await runUnitsHere(open, { ...opened, here: here.value, session, work });
    const { problem, imageBytes } = ran;
    writeNote(directory, {
      ...{ ...note, ended: Date.now(), imageBytes },
      ...(problem === undefined ? {} : { problem }),
    });
    return success(problem);
  } catch (error) {
    return storageFailure(directory, error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Running extends Opened {
  here: Here;
  session: string;
  work: string;
}

/**
 * How units end that say nothing about their test: another machine may run them. A guest that did not
 * boot, hung or crashed is a result.
 */
const NO_RESULT = new Set(['storage', 'interrupted', 'not-started']);

async function runUnitsHere(
  open: readonly PlannedUnit[],
  { directory, plan, chunk, jobs, context, here, session, work }: Running,
): Promise<{ problem: string | undefined; imageBytes: number }> {
  const limit = AbortSignal.timeout(chunk.limit * 1000);
  const signal = AbortSignal.any([context.signal, limit]);
  const byNumber = new Map(open.map((one) => [one.index, one]));
  const byUnit = new Map(open.map((one) => [one.unit, one]));
  const planned = (unit: PlannedUnit['unit']) => byUnit.get(unit) as PlannedUnit;
  let problem: string | undefined;
  let full = false;
  const images = new ImageBudget(imageBytesLeft(directory, plan));
  const all = images.left;
  const publication = { directory, work, plan: plan.id, session };
  const { reporter } = context;
  const keep = (result: UnitResult, index: number) => {
    const one = byNumber.get(index) as PlannedUnit;
    if (NO_RESULT.has(result.ending)) {
      problem ??= result.reason;
      return;
    }
    try {
      publishUnit(one, { ...result, machine: here.machine }, publication);
      reporter.unitFinished(result, index);
    } catch (error) {
      problem ??= storageFailure(directory, error).failure.message;
      full = true;
    }
  };
  reporter.expect(open.length);
  const units = open.map(({ unit }) => unit);
  await runUnits(units, {
    prepared: (unit) => here.prepared(planned(unit)),
    directory: work,
    numbers: open.map(({ index }) => index),
    jobs: jobs ?? guestsAtATime(units, plan.settings.checkpoints),
    ...{ store: context.store, progress: context.progress, signal, images },
    checkpoints: plan.settings.checkpoints,
    explainer: plan.settings.explain ? new Explainer() : undefined,
    together: plan.settings.together,
    expected: (result) => expectationFor(result, plan.expected),
    replay: (unit, after) => replayOf(planned(unit), after),
    observer: {
      unitStarted: (unit, index) => reporter.unitStarted(unit, index),
      unitStep: (unit, index, step) => reporter.unitStep(unit, index, step),
      unitFinished: keep,
    },
    estimate: (unit) => planned(unit).seconds,
    // Results that cannot be written are of no use.
    isLast: () => full,
  });
  if (limit.aborted) problem = `the chunk took longer than its limit of ${chunk.limit} s`;
  else if (context.signal.aborted) problem = 'interrupted';
  return { problem, imageBytes: all - images.left };
}

function replayOf({ replay, replayAfter }: PlannedUnit, after: readonly string[]): string {
  if (after.length === 0 || replayAfter === undefined) return replay;
  return replayAfter.replace(AFTER, () => after.join(' '));
}

/** The limit is for the whole run: what other chunks have kept counts. */
function imageBytesLeft(directory: string, { id, settings }: Plan): number {
  const kept = readNotes(directory, id).reduce((sum, { imageBytes }) => sum + imageBytes, 0);
  return Math.max(0, settings.imageBytes - kept);
}
