import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { writeWhole } from '../results/run-directory.js';

/** Writes reports into files. */

/**
 * Appends to the file that GitHub shows on the page of the job. Several steps may do so.
 *
 * @returns false if there is no such file, which is so outside of GitHub Actions
 */
export function addJobSummary(markdown: string): Outcome<boolean> {
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (!file) return success(false);
  return writing(file, () => appendFileSync(file, `${markdown}\n`));
}

export function writeReport(output: string, text: string): Outcome<boolean> {
  return writing(output, () => {
    // Write into a device or a pipe; replace a file.
    const other = statSync(output, { throwIfNoEntry: false })?.isFile() === false;
    if (other) writeFileSync(output, text);
    else writeWhole(resolve(output), text);
  });
}

function writing(file: string, action: () => void): Outcome<boolean> {
  try {
    action();
    return success(true);
  } catch (error) {
    return failure(
      'usage',
      `The report cannot be written: ${(error as Error).message}`,
      'Give a file in an existing directory that you can write to',
      { place: { file } },
    );
  }
}
