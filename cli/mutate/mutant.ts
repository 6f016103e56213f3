import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import type { MutantPlace } from '../results/mutation-result.js';
import { git } from '../variant/git.js';
import { SPATCH, spatchFailed } from './matches.js';
import { CHOSEN, choosingRule, chosenPlace, type Operator } from './operators.js';
import { withSameLines } from './same-lines.js';

export interface MutantSource {
  /** Holds `fs/ext2` and so on. It stays unchanged. */
  source: string;
  /** A directory for temporary files, for this mutant alone. */
  scratch: string;
  signal: AbortSignal | undefined;
}

/**
 * Applies an operator at one place.
 *
 * @returns a patch for `git apply -p1`; undefined if the operator changes nothing there
 */
export async function makeMutant(
  place: MutantPlace,
  operator: Operator,
  { source, scratch, signal }: MutantSource,
): Promise<Outcome<string | undefined>> {
  const { file } = place;
  const [before, after] = [join(scratch, 'a', file), join(scratch, 'b', file)];
  for (const path of [before, after]) await mkdir(dirname(path), { recursive: true });
  const original = await readFile(join(source, file), 'utf8');
  await writeFile(before, original);
  const rule = join(scratch, `${operator.name}.cocci`);
  await writeFile(rule, choosingRule(operator));
  const changed = await runTool(
    [...SPATCH, '--no-show-diff', '--sp-file', rule, file, '-o', after],
    {
      cwd: source,
      env: { LC_ALL: 'C', [CHOSEN]: chosenPlace(place) },
      ...(signal ? { signal } : {}),
    },
  );
  if (changed.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  if (!changed.ok) return spatchFailed(operator.name, changed.all || changed.summary);
  // spatch writes no file if it changes nothing.
  const mutated = await readFile(after, 'utf8').catch(() => original);
  if (mutated === original) return success(undefined);
  const short = await difference(scratch, file, 0, signal);
  if (!short.ok) return short;
  await writeFile(after, withSameLines(mutated, short.value));
  const whole = await difference(scratch, file, 3, signal);
  return whole.ok ? success(whole.value === '' ? undefined : whole.value) : whole;
}

/** @param context unchanged lines around each change */
async function difference(
  scratch: string,
  file: string,
  context: number,
  signal: AbortSignal | undefined,
): Promise<Outcome<string>> {
  const argv = ['diff', '--no-index', '--no-color', '--no-ext-diff', `-U${context}`, '--no-prefix'];
  const made = await git([...argv, join('a', file), join('b', file)], scratch, signal);
  if (made.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  // 1: the files differ.
  if (made.exitCode === 0 || made.exitCode === 1) return success(withoutIndex(made.stdout));
  return failure('tool-failed', 'git cannot compare two files', 'Look at what it said', {
    detail: made.all || made.summary,
  });
}

/** Without git's own lines: with a hash of nothing that exists. */
function withoutIndex(patch: string): string {
  const lines = patch.split('\n').filter((line) => !/^(?:diff --git|index) /.test(line));
  return lines.length > 1 ? `${lines.join('\n')}\n` : '';
}
