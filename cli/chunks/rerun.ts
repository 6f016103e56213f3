import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { writeJson } from '../results/run-directory.js';
import { storageFailure } from '../store/store.js';
import { newSession } from './notes.js';
import { readPlan, readUnits } from './read-plan.js';
import type { Plan, PlannedUnit } from './schema.js';
import { folderOf, readUnitState, setAside } from './unit-file.js';
import { type Split, writeChunks } from './write-plan.js';

export interface Rerun {
  plan: Plan;
  /** Units that have a verdict already. */
  done: number;
  /** Units whose variant could not be prepared: only a new plan can change that. */
  unprepared: number;
}

/**
 * Plans the units again that have no whole result or no verdict, in the same directory. The results of
 * the others stay.
 */
export function planRerun(directory: string, split: Split): Outcome<Rerun> {
  const read = readPlan(directory);
  if (!read.ok) return read;
  const plan = read.value;
  const open: PlannedUnit[] = [];
  const unsettled: PlannedUnit[] = [];
  let unprepared = 0;
  for (const file of plan.all) {
    const units = readUnits(directory, file);
    if (!units.ok) return units;
    for (const one of units.value) {
      const found = readUnitState(directory, one, plan.id);
      if (one.failure) unprepared += 1;
      else if (found.state !== 'whole') open.push(one);
      else if (!hasVerdict(found.result.verdict)) unsettled.push(one);
    }
  }
  const again = [...open, ...unsettled].sort((one, other) => one.at - other.at);
  const done = plan.units - again.length - unprepared;
  if (again.length === 0) return nothingLeft(directory);
  try {
    const session = newSession();
    for (const one of unsettled) setAside(directory, folderOf(one), session);
    const generation = plan.generation + 1;
    const chunks = writeChunks(directory, again, { ...split, generation });
    const next: Plan = { ...plan, chunks, generation };
    writeJson(join(directory, 'plan.json'), next);
    return success({ plan: next, done, unprepared });
  } catch (error) {
    return storageFailure(directory, error);
  }
}

function hasVerdict(verdict: string): boolean {
  return verdict !== 'error' && verdict !== 'invalid';
}

function nothingLeft(directory: string): Outcome<never> {
  return failure(
    'usage',
    `Every unit in ${directory} that can run has a verdict`,
    'Use `daxrepro collect` to see them',
  );
}
