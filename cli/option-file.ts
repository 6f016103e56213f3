import { readFileSync } from 'node:fs';
import { failure, type Outcome, success } from './outcome.js';

/**
 * The text of a file that an option names.
 *
 * @param option `--expected`
 * @param remedy what the file should be
 */
export function readOptionFile(option: string, file: string, remedy: string): Outcome<string> {
  try {
    return success(readFileSync(file, 'utf8'));
  } catch (error) {
    return failure(
      'usage',
      `${option} ${file} cannot be read: ${(error as Error).message}`,
      remedy,
    );
  }
}
