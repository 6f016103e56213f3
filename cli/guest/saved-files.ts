import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from '../schema.js';

/**
 * The files of a saved guest, and their description. The description is written last and has the
 * size and the time of each file, so that a file that was cut off or written since is noticed.
 */

const Files = z.record(z.string(), z.object({ size: z.number(), mtimeMs: z.number() }));

/** Describes the files of a directory, and says what else must be known about the guest. */
export async function describeFiles(
  directory: string,
  names: readonly string[],
  description: string,
  about: Record<string, unknown>,
): Promise<void> {
  const files: z.infer<typeof Files> = {};
  for (const name of names) {
    const { size, mtimeMs } = await stat(join(directory, name));
    files[name] = { size, mtimeMs };
  }
  await writeFile(join(directory, description), JSON.stringify({ ...about, files }));
}

/** What was said about the guest; undefined if a file is missing, shorter, or was written since. */
export async function readDescription<About>(
  directory: string,
  description: string,
  schema: z.ZodType<About>,
): Promise<About | undefined> {
  try {
    const value = JSON.parse(await readFile(join(directory, description), 'utf8'));
    const { files } = z.object({ files: Files }).parse(value);
    for (const [name, left] of Object.entries(files)) {
      const { size, mtimeMs } = await stat(join(directory, name));
      if (size !== left.size || mtimeMs !== left.mtimeMs) return undefined;
    }
    return schema.parse(value);
  } catch {
    return undefined;
  }
}
