import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { z } from '../schema.js';

/** What a run keeps of itself so that it can be resumed. */
interface Resumable {
  /** A hash of everything that its answer depends on. */
  question: string;
}

/**
 * The newest run of a question below a directory; undefined if there is none.
 *
 * @param name the file with the state in a run's directory. One of another form is passed over.
 */
export function newestState<State extends Resumable>(
  parent: string,
  name: string,
  schema: z.ZodType<State>,
  question: string,
): { directory: string; state: State } | undefined {
  if (!existsSync(parent)) return undefined;
  const files = readdirSync(parent)
    .map((directory) => join(parent, directory, name))
    .filter((file) => existsSync(file))
    .map((file) => ({ file, time: statSync(file).mtimeMs }))
    .sort((a, b) => b.time - a.time);
  for (const { file } of files) {
    const state = readState(file, schema);
    if (state?.question === question) return { directory: dirname(file), state };
  }
  return undefined;
}

function readState<State>(file: string, schema: z.ZodType<State>): State | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
