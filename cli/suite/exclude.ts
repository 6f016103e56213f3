import { readOptionFile } from '../option-file.js';
import { failure, type Outcome } from '../outcome.js';
import { type Choosable, type Exclusion, leaveOut } from './choose.js';
import type { KernelVersions } from './conditions.js';
import { readTestList } from './test-list.js';

/** The options that leave tests out, from the command line. */
export interface ExclusionOptions {
  exclude?: string[];
  excludeFile?: string[];
  excludeGroup?: string[];
}

/**
 * The remaining tests. It is a usage error if there are none.
 *
 * @param kernel for conditions in the files
 */
export function withoutExcluded<Test extends Choosable>(
  tests: readonly Test[],
  { exclude = [], excludeFile = [], excludeGroup = [] }: ExclusionOptions,
  kernel?: KernelVersions | undefined,
): Outcome<Test[]> {
  const exclusions: Exclusion[] = exclude.map((word) => ({ word }));
  const groups = [...excludeGroup];
  for (const file of excludeFile) {
    const text = readOptionFile('--exclude-file', file, 'Give a file with a test on each line');
    if (!text.ok) return text;
    const read = readTestList(file, text.value, kernel);
    if (!read.ok) return read;
    for (const { word, group, place } of read.value) {
      if (word !== undefined) exclusions.push({ word, place });
      if (group !== undefined) groups.push(group);
    }
  }
  const left = leaveOut(tests, exclusions, groups);
  if (left.ok && left.value.length === 0) {
    return failure('usage', 'All selected tests are excluded', 'Exclude fewer of them');
  }
  return left;
}
