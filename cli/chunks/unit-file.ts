import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../parse-json.js';
import type { Unit } from '../plan/unit.js';
import { unitFolder, writeWhole } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import { unitSchema } from '../results/schema.js';
import { sha256Of } from '../sha256.js';
import { headerSchema, type PlannedUnit, type UnitHeader } from './schema.js';

/**
 * The result of a unit in the directory of a planned run: the file `outcome.json` in the unit's folder.
 * Its first line is a header with the hashes of the plan, of the unit's inputs, and of the header and the
 * second line, which is the result.
 *
 * The unit runs below `work/`. One rename of its folder makes the result and its logs appear together.
 */

const FILE = 'outcome.json';

/** Where folders go that a whole result or a new plan replaces. */
const REPLACED = 'replaced';

/** What is known of a planned unit. */
export type UnitState =
  | { state: 'whole'; result: UnitResult; header: UnitHeader }
  | { state: 'missing' }
  /** One clause without the full stop: what is wrong with its file. */
  | { state: 'bad'; problem: string };

export type Planned = Pick<PlannedUnit, 'at' | 'index' | 'inputs' | 'unit'>;

export function folderOf({ unit, index }: Pick<Planned, 'unit' | 'index'>): string {
  return unitFolder(unit, index);
}

export function readUnitState(directory: string, planned: Planned, plan: string): UnitState {
  let text: string;
  try {
    text = readFileSync(join(directory, folderOf(planned), FILE), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'missing' };
    return { state: 'bad', problem: `its result cannot be read: ${message}` };
  }
  return checkUnitText(text, planned, plan);
}

/** Accepts a result only if it is whole and belongs to this unit, its inputs and this plan. */
export function checkUnitText(text: string, planned: Planned, plan: string): UnitState {
  const end = text.indexOf('\n');
  const header = headerSchema.safeParse(parseJson(text.slice(0, Math.max(end, 0))));
  if (!header.success) return { state: 'bad', problem: 'its result is torn' };
  const { bytes, sha256, ...named } = header.data;
  const body = text.slice(end + 1).replace(/\n$/, '');
  if (Buffer.byteLength(body) !== bytes || hashOf(named, body) !== sha256) {
    return { state: 'bad', problem: 'its result is torn' };
  }
  if (named.plan !== plan || named.at !== planned.at) {
    return { state: 'bad', problem: 'its result belongs to another plan' };
  }
  if (named.inputs !== planned.inputs) {
    return { state: 'bad', problem: 'its result was made from other inputs' };
  }
  const result = unitSchema.safeParse(parseJson(body));
  if (!result.success || !isOf(result.data as unknown as UnitResult, planned.unit)) {
    return { state: 'bad', problem: 'its result is not valid' };
  }
  return { state: 'whole', result: result.data as unknown as UnitResult, header: header.data };
}

/** Of the result and of what the header says besides. */
function hashOf(
  { plan, inputs, at, session, ended }: Omit<UnitHeader, 'bytes' | 'sha256'>,
  body: string,
): string {
  return sha256Of(`${JSON.stringify([plan, inputs, at, session, ended])}\n${body}`);
}

function isOf(result: UnitResult, unit: Unit): boolean {
  return (
    result.fs === unit.fs &&
    result.test === unit.test &&
    result.variant === unit.variant &&
    result.attempt === unit.attempt &&
    result.seed === unit.seed &&
    result.pmem === unit.shape.pmem &&
    result.partition === unit.shape.partition &&
    result.stack === unit.shape.stack &&
    JSON.stringify(result.poison) === JSON.stringify(unit.poison) &&
    result.control === unit.control &&
    (result.powerCut !== undefined) === (unit.powerCut !== undefined)
  );
}

export interface Publication {
  /** The directory of the planned run. */
  directory: string;
  /** The directory below `work/` in which the unit ran. */
  work: string;
  plan: string;
  session: string;
}

/**
 * Makes the result of a unit appear, with its logs. If another machine was faster, its result stays,
 * and ours is dropped. Errors of the file system are thrown.
 */
export function publishUnit(
  planned: Planned,
  result: UnitResult,
  { directory, work, plan, session }: Publication,
): void {
  const folder = folderOf(planned);
  const from = join(work, folder);
  mkdirSync(from, { recursive: true });
  const body = JSON.stringify(result);
  const named = {
    ...{ schemaVersion: 1 as const, plan, inputs: planned.inputs, at: planned.at },
    ...{ session, ended: Date.now() },
  };
  const bytes = Buffer.byteLength(body);
  const header: UnitHeader = { ...named, bytes, sha256: hashOf(named, body) };
  writeWhole(join(from, FILE), `${JSON.stringify(header)}\n${body}\n`);
  for (let attempt = 0; ; attempt += 1) {
    try {
      renameSync(from, join(directory, folder));
      return;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code) || attempt > 3) throw error;
    }
    if (readUnitState(directory, planned, plan).state === 'whole') {
      rmSync(from, { recursive: true, force: true });
      return;
    }
    setAside(directory, folder, session);
  }
}

/** Moves a unit's folder out of the way. Nothing that was found is deleted. */
export function setAside(directory: string, folder: string, by: string): void {
  mkdirSync(join(directory, REPLACED), { recursive: true });
  try {
    renameSync(join(directory, folder), join(directory, REPLACED, `${folder}.${by}.${Date.now()}`));
  } catch (error) {
    // Another machine was faster.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
