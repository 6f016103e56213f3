import { type Outcome, success } from '../outcome.js';
import { readChangeFiles, stepsOf } from './changes.js';
import type { Variant } from './variant.js';

/**
 * One variant per prefix of a series: with the first patch, with the first two, and so on.
 *
 * @param files mailboxes, patches and semantic patches, in order
 */
export async function seriesPrefixes(...files: string[]): Promise<Outcome<Variant[]>> {
  const read = await readChangeFiles(files);
  if (!read.ok) return read;
  const names: string[] = [];
  for (const file of read.value) {
    const steps = await stepsOf(file);
    if (!steps.ok) return steps;
    names.push(...steps.value.map(({ name }) => name));
  }
  return success(
    names.map((name, index) => ({
      name: `${index + 1}/${names.length} ${name}`,
      changes: files,
      steps: index + 1,
    })),
  );
}
