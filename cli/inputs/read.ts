import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { type Inputs, inputsSchema } from './schema.js';

/** What was kept of a run's inputs; every file of it is what it was. */
export interface KeptInputs {
  inputs: Inputs;
  /** The directory `inputs/`. */
  directory: string;
}

/** Whether a run has kept its inputs, whatever they are worth. */
export function hasInputs(run: string): boolean {
  return existsSync(manifestOf(run));
}

function manifestOf(run: string): string {
  return join(run, 'inputs', 'manifest.json');
}

export async function readInputs(run: string): Promise<Outcome<KeptInputs>> {
  const directory = join(run, 'inputs');
  const file = manifestOf(run);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    return failure(
      'usage',
      `${run} has no inputs/manifest.json: it is a session of \`shell\`, or a run of an earlier version, which keep none`,
      'Name another run; this one is run again by the replay commands that its result has',
    );
  }
  const parsed = inputsSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') || 'the document';
    return failure(
      'unreadable',
      `It is no manifest of daxrepro: ${where} is not what it should be`,
      'Give the directory of a run as daxrepro wrote it',
      { place: { file } },
    );
  }
  for (const { name, sha256 } of parsed.data.files) {
    const content = await readFile(join(directory, name)).catch(() => undefined);
    if (content && createHash('sha256').update(content).digest('hex') === sha256) continue;
    return failure(
      'unreadable',
      content
        ? 'It is not what went into the run: its SHA-256 differs'
        : 'It is not there any more',
      "Put back the run's copy of it; what went in is in no other place",
      { place: { file: join(directory, name) } },
    );
  }
  const known = new Set(parsed.data.files.map(({ name }) => name));
  const named = parsed.data.requests.flatMap(({ variant, kconfig }) => [
    ...variant.changes,
    ...kconfig,
  ]);
  const stranger = named.find((name) => !known.has(name));
  if (stranger !== undefined) {
    return failure('unreadable', `${stranger} is named, but no hash of it`, 'Give another run', {
      place: { file },
    });
  }
  return success({ inputs: parsed.data, directory });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
