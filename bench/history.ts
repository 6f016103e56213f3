/**
 * `npm run bench:history`: runs the cases of fixtures/cases/history in real guests, one after another, and
 * shows whether each bug was seen and the unchanged kernel passed.
 *
 *     HISTORY_CASES=ext4,fast-commit    only the cases whose names contain one of these words
 *
 * Exits with 1 if an expectation of a case did not hold.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { CompareResult } from '../cli/results/compare-result.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = join(root, 'fixtures/cases/history');
const words = (process.env['HISTORY_CASES'] ?? '').split(',').filter((word) => word !== '');
const cases = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));

let missed = 0;
for (const name of cases) {
  const began = Date.now();
  const ran = await execa(join(root, 'daxrepro'), ['compare', join(directory, name), '--json'], {
    reject: false,
    stdin: 'ignore',
    stderr: 'inherit',
  });
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  if (ran.exitCode !== 0) missed++;
  console.log(`${ran.exitCode === 0 ? 'held' : 'MISSED'}  ${name}  ${seconds} s`);
  for (const { variant, test, verdict, reason, powerCut } of unitsOf(ran.stdout)) {
    console.log(
      `        ${verdict} ${test} [${variant}]${powerCut ? ', power cuts' : ''}: ${reason}`,
    );
  }
}
console.log(`${cases.length - missed} of ${cases.length} cases held`);
process.exitCode = missed > 0 ? 1 : 0;

function unitsOf(json: string): CompareResult['units'] {
  try {
    return (JSON.parse(json) as CompareResult).units;
  } catch {
    return [];
  }
}
