import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import type { z } from '../schema.js';
import type { BisectionResult } from './bisect-result.js';
import type { CompareResult } from './compare-result.js';
import { defaultRunsDirectory } from './run-directory.js';
import type { RunResult, UnitResult } from './run-result.js';
import { bisectionSchema, compareSchema, runSchema, unitSchema } from './schema.js';

/**
 * Reads kept results. They may come from other machines and other versions, so every value is checked,
 * and all text counts as untrusted.
 */

export type KeptResult =
  | { kind: 'run'; directory: string; result: RunResult }
  | { kind: 'compare'; directory: string; result: CompareResult }
  | { kind: 'bisect'; directory: string; result: BisectionResult };

/** Which runs in the default directory to consider if the user names none. */
export interface Candidates {
  /** `result` is the parsed JSON; undefined if it is not valid JSON. */
  accept: (run: { directory: string; result: unknown }) => boolean;
  /** Describes them in words that follow "run", such as "that has inputs". */
  what?: string;
}

/** Skips sessions of `shell`, which are not tests. They can still be named. */
export const NO_SESSIONS: Candidates = { accept: ({ result }) => !has(result, 'shell') };

/**
 * @param name a run's directory, its result.json, the name of a run in the default directory, or
 *   undefined for the newest run there
 * @returns `directory` is where the result was found; `artifacts` are relative to it, because a run may
 *   have been moved
 */
export function readResult(
  name: string | undefined,
  candidates: Candidates = NO_SESSIONS,
): Outcome<KeptResult> {
  const found = findResult(name, candidates);
  if (!found.ok) return found;
  const file = found.value;
  const json = readJson(file);
  if (!json.ok) return json;
  const kind = kindOf(json.value);
  const checked = SCHEMAS[kind].safeParse(json.value);
  if (!checked.success) return notAResult(file, checked.error, json.value);
  // The schema checks every field of its type, and keeps all others.
  return success({ kind, directory: dirname(file), result: checked.data } as unknown as KeptResult);
}

/** One of a run's units, with the run's directory; paths in it are relative to that. */
export interface KeptUnit {
  unit: UnitResult;
  directory: string;
}

/**
 * @param name a unit's folder, or a run as for `readResult`. If several units match `choose`, `#` and a
 *   number or the name of a folder select one
 * @param choose which units match; `what` describes them: "failing units"
 */
export function readUnit(
  name: string | undefined,
  { choose, what }: { choose: (unit: UnitResult) => boolean; what: string },
): Outcome<KeptUnit> {
  const folder = name === undefined ? undefined : join(resolve(name), 'unit.json');
  if (folder !== undefined && isFile(folder)) return readUnitFile(folder);
  const [run, wanted] = splitUnit(name);
  const kept = readResult(run);
  if (!kept.ok) return kept;
  const numbered = numberedUnits(kept.value);
  if (!numbered.ok) return numbered;
  const units = numbered.value;
  const { directory } = kept.value;
  const meant = units.filter(({ unit, number }) =>
    wanted === undefined ? choose(unit) : number === wanted,
  );
  const [only, ...others] = meant;
  if (only && others.length === 0) return success({ unit: only.unit, directory });
  if (only) {
    const list = meant.map(({ unit, number }) => `#${number} ${unit.fs} ${unit.test}`).join(', ');
    return failure(
      'usage',
      `${directory} has ${meant.length} ${what}`,
      `Select one by its number, such as ${JSON.stringify(`${basename(directory)}#${only.number}`)}: ${list.slice(0, 400)}`,
    );
  }
  return wanted === undefined
    ? failure('usage', `${directory} has no ${what}`, 'Name another run')
    : failure(
        'usage',
        `${directory} has no unit ${wanted}`,
        `Give a number from ${units[0]?.number ?? 1} to ${units.at(-1)?.number ?? 1}`,
      );
}

export interface NumberedUnit {
  unit: UnitResult;
  /** The N of `RUN#N`. */
  number: number;
}

/** The units of a result. A bisection keeps its units in folders, which have the numbers. */
export function numberedUnits(kept: KeptResult): Outcome<NumberedUnit[]> {
  if (kept.kind !== 'bisect') {
    const units: readonly UnitResult[] = kept.result.units;
    return success(units.map((unit, index) => ({ unit, number: index + 1 })));
  }
  const units: NumberedUnit[] = [];
  for (const folder of kept.result.runs.flatMap(({ folders }) => folders)) {
    // Accept only names that `unitFolder` makes, so that a stranger's result cannot point elsewhere.
    const [, number] = /^(\d{3,})-[A-Za-z0-9.-]+$/.exec(folder) ?? [];
    if (number === undefined) {
      const file = join(kept.directory, 'result.json');
      const what = `${JSON.stringify(folder)} is not the folder of a unit`;
      return failure('unreadable', what, 'Give an unchanged result.json of a bisection', {
        place: { file },
      });
    }
    const read = readUnitFile(join(kept.directory, folder, 'unit.json'));
    if (!read.ok) return read;
    units.push({ unit: read.value.unit, number: Number(number) });
  }
  return success(units.sort((a, b) => a.number - b.number));
}

function readUnitFile(file: string): Outcome<KeptUnit> {
  const json = readJson(file);
  if (!json.ok) return json;
  const checked = unitSchema.safeParse(json.value);
  if (!checked.success) return notAResult(file, checked.error, json.value);
  const unit = checked.data as unknown as UnitResult;
  return success({ unit, directory: dirname(dirname(file)) });
}

/** `RUN#2`: the run, and the number of a unit, from 1. */
export function splitUnit(
  name: string | undefined,
): [run: string | undefined, unit: number | undefined] {
  const match = /^(.*)#(\d+)$/.exec(name ?? '');
  return match ? [match[1] || undefined, Number(match[2])] : [name, undefined];
}

/** Whether the name means the newest run, or (as `#2`) one of its units. */
export function namesNoRun(name: string | undefined): boolean {
  return splitUnit(name)[0] === undefined;
}

type Kind = KeptResult['kind'];

const SCHEMAS = {
  run: runSchema,
  compare: compareSchema,
  bisect: bisectionSchema,
} satisfies Record<Kind, z.ZodType>;

function kindOf(value: unknown): Kind {
  return has(value, 'question') ? 'bisect' : has(value, 'case') ? 'compare' : 'run';
}

function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}

function findResult(name: string | undefined, candidates: Candidates): Outcome<string> {
  const parent = defaultRunsDirectory();
  if (name === undefined) return findNewest(parent, candidates);
  for (const path of [resolve(name), join(parent, name)]) {
    if (isFile(path)) return success(path);
    const inside = join(path, 'result.json');
    if (isFile(inside)) return success(inside);
  }
  const path = resolve(name);
  if (isFile(join(path, 'unit.json'))) {
    return failure('usage', `${name} is the folder of one unit`, `Name its run: ${dirname(path)}`);
  }
  return isDirectory(path) || isDirectory(join(parent, name))
    ? failure(
        'usage',
        `${name} has no result.json`,
        'Name the directory of a run that has ended; a run that is still going writes it at its end, and a killed one never does',
      )
    : failure('usage', `There is no run ${name}`, `Name a run's directory, or one in ${parent}`);
}

function findNewest(parent: string, { accept, what }: Candidates): Outcome<string> {
  const names = runsIn(parent);
  for (const name of names.toReversed()) {
    const directory = join(parent, name);
    const file = join(directory, 'result.json');
    const json = readJson(file);
    const result = json.ok ? json.value : undefined;
    if (accept({ directory, result })) return success(file);
  }
  const missing = what === undefined || names.length === 0 ? 'run' : `run ${what}`;
  return failure('usage', `There is no ${missing} in ${parent}`, 'Name the directory of a run');
}

/** Names of the runs that have a result, oldest first, because names begin with the time. */
export function runsIn(parent: string): string[] {
  try {
    return readdirSync(parent)
      .filter((name) => isFile(join(parent, name, 'result.json')))
      .sort();
  } catch {
    return [];
  }
}

function readJson(file: string): Outcome<unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return failure(
      'unreadable',
      `The file cannot be read: ${(error as Error).message}`,
      'Give a readable file',
      { place: { file } },
    );
  }
  try {
    return success(JSON.parse(text));
  } catch (error) {
    return failure(
      'unreadable',
      `The file is not valid JSON: ${(error as Error).message}`,
      'Give a complete result.json of daxrepro',
      { place: { file } },
    );
  }
}

function notAResult(file: string, error: z.core.$ZodError, value: unknown): Outcome<never> {
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > 1) {
    return failure(
      'unreadable',
      `The file has schema version ${version}, which this version of daxrepro does not know`,
      'Use the version of daxrepro that wrote it, or a newer one',
      { place: { file } },
    );
  }
  const [issue] = error.issues;
  const where = issue && issue.path.length > 0 ? issue.path.map(String).join('.') : 'the document';
  return failure(
    'unreadable',
    `The file is not a result of daxrepro: ${where} is not valid (${issue?.message ?? 'unknown'})`,
    'Give an unchanged result.json of daxrepro',
    { place: { file } },
  );
}

function isFile(path: string): boolean {
  return statusOf(path)?.isFile() ?? false;
}

function isDirectory(path: string): boolean {
  return statusOf(path)?.isDirectory() ?? false;
}

/** Treats every path that cannot be examined as missing. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
