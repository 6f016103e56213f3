import { readFileSync } from 'node:fs';
import { failure, type Outcome } from '../outcome.js';
import { type Choosable, type Exclusion, leaveOut, readExclusions } from './choose.js';

/** The options that leave tests out, from the command line. */
export interface ExclusionOptions {
  exclude?: string[];
  excludeFile?: string[];
  excludeGroup?: string[];
}

/** The remaining tests. It is a usage error if there are none. */
export function withoutExcluded<Test extends Choosable>(
  tests: readonly Test[],
  { exclude = [], excludeFile = [], excludeGroup = [] }: ExclusionOptions,
): Outcome<Test[]> {
  const exclusions: Exclusion[] = exclude.map((word) => ({ word }));
  for (const file of excludeFile) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      return failure(
        'usage',
        `--exclude-file ${file} cannot be read: ${(error as Error).message}`,
        'Give a file with a test on each line',
      );
    }
    const read = readExclusions(file, text);
    if (!read.ok) return read;
    exclusions.push(...read.value);
  }
  const left = leaveOut(tests, exclusions, excludeGroup);
  if (left.ok && left.value.length === 0) {
    return failure('usage', 'All selected tests are excluded', 'Exclude fewer of them');
  }
  return left;
}
