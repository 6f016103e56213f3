import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { parseJson } from '../parse-json.js';
import { sha256Of } from '../sha256.js';
import {
  chunkSchema,
  type Plan,
  type PlannedFile,
  type PlannedUnit,
  planSchema,
} from './schema.js';

/** Reads a plan, and the units in it. */

export function readPlan(directory: string): Outcome<Plan> {
  const file = join(directory, 'plan.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? failure(
          'usage',
          `${directory} is not a planned run: it has no plan.json`,
          'Make it with `daxrepro plan run … --into DIR`',
        )
      : failure('unreadable', `The plan cannot be read: ${message}`, 'Give a readable directory', {
          place: { file },
        });
  }
  const parsed = planSchema.safeParse(parseJson(text));
  if (parsed.success) return success(parsed.data);
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') || 'the document';
  return failure(
    'unreadable',
    `This is not a whole plan of daxrepro: ${where} is not valid`,
    'Copy the directory again, or make a new plan',
    { place: { file } },
  );
}

/** The units in one of the plan's files. Refuses a file with another hash. */
export function readUnits(
  directory: string,
  { name, sha256 }: PlannedFile,
): Outcome<PlannedUnit[]> {
  const place = { file: join(directory, name) };
  let text: string;
  try {
    text = readFileSync(place.file, 'utf8');
  } catch (error) {
    const { message } = error as Error;
    return failure('unreadable', `A file of the plan cannot be read: ${message}`, COPY, { place });
  }
  const parsed = sha256Of(text) === sha256 ? chunkSchema.safeParse(parseJson(text)) : undefined;
  if (parsed?.success) return success(parsed.data.units as PlannedUnit[]);
  return failure('unreadable', 'This file of the plan has changed', COPY, { place });
}

const COPY = 'Copy the whole directory again';
