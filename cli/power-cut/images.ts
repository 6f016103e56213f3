import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../process/child.js';
import { readDelta } from './delta.js';
import { type CutEvent, cutName } from './events.js';

/**
 * The images that survive a guest's power cuts, put together from what the plugin left. Cuts are taken
 * in their order: each has only what changed on the medium since the one before.
 */
export interface Survivors {
  /** Goes on to this cut; all cuts before it must have been gone to. */
  advance(cut: CutEvent): Promise<void>;
  /** Writes the image of a range in one of the cut's states: raw, sparse. */
  compose(state: string, range: number, file: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param directory what the plugin wrote to
 * @param work where the media are kept, `medium-0` and so on; must be there
 */
export async function openSurvivors(
  directory: string,
  work: string,
  ranges: number,
): Promise<Survivors> {
  const paths = Array.from({ length: ranges }, (_, range) => join(work, `medium-${range}`));
  const media: FileHandle[] = [];
  let at = 0;
  for (const [range, path] of paths.entries()) {
    await copySparse(join(directory, `base-${range}.img`), path);
    media.push(await open(path, 'r+'));
  }
  return {
    async advance({ cut }) {
      if (cut !== at + 1) throw new RangeError(`cut ${cut} does not follow cut ${at}`);
      for await (const { range, offset, bytes } of readDelta(
        join(directory, `${cutName(cut)}.medium`),
      )) {
        await media[range]?.write(bytes, 0, bytes.length, offset);
      }
      at = cut;
    },
    async compose(state, range, file) {
      const medium = paths[range];
      if (medium === undefined) throw new RangeError(`there is no range ${range}`);
      await copySparse(medium, file);
      if (state === 'nothing') return;
      const image = await open(file, 'r+');
      try {
        for await (const record of readDelta(join(directory, `${cutName(at)}.${state}`))) {
          if (record.range !== range) continue;
          await image.write(record.bytes, 0, record.bytes.length, record.offset);
        }
      } finally {
        await image.close();
      }
    },
    async close() {
      for (const medium of media) await medium.close();
    },
  };
}

/** By reference where the file system can, else with its holes. */
async function copySparse(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    const copied = await runTool(['cp', '--sparse=always', '--', from, to]);
    if (!copied.ok) throw new Error(copied.summary);
  }
}
