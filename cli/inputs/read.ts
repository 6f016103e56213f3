import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { parseJson } from '../parse-json.js';
import { sha256Of } from '../sha256.js';
import { type Inputs, inputsSchema } from './schema.js';

/** The kept inputs of a run, with the hash of every file verified. */
export interface KeptInputs {
  inputs: Inputs;
  /** The directory `inputs/`. */
  directory: string;
}

/** Whether a run has kept its inputs. They may still be damaged. */
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
      `${run} has no inputs/manifest.json: sessions of \`shell\` and runs of earlier versions do not keep their inputs`,
      'Name another run, or use the replay commands in the result of this one',
    );
  }
  const parsed = inputsSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') || 'the document';
    return failure(
      'unreadable',
      `This is not a manifest of daxrepro: ${where} is not valid`,
      'Give the unchanged directory of a run',
      { place: { file } },
    );
  }
  for (const { name, sha256 } of parsed.data.files) {
    const content = await readFile(join(directory, name)).catch(() => undefined);
    if (content && sha256Of(content) === sha256) continue;
    return failure(
      'unreadable',
      content
        ? 'This copy of an input has changed since the run: its SHA-256 differs'
        : 'This copy of an input is missing',
      'Restore the file; daxrepro has no other copy of it',
      { place: { file: join(directory, name) } },
    );
  }
  const known = new Set(parsed.data.files.map(({ name }) => name));
  const named = [
    ...parsed.data.requests.flatMap(({ variant, kconfig }) => [...variant.changes, ...kconfig]),
    ...(parsed.data.suiteChanges ?? []).map(({ file }) => file),
    ...parsed.data.requests.flatMap(({ packages = [] }) =>
      packages.flatMap((one) => one.archive ?? []),
    ),
  ];
  const stranger = named.find((name) => !known.has(name));
  if (stranger !== undefined) {
    return failure('unreadable', `${stranger} has no hash in the manifest`, 'Give another run', {
      place: { file },
    });
  }
  return success({ inputs: parsed.data, directory });
}
