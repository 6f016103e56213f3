import { diff, exitCodeOfDiff } from '../diff/diff.js';
import { newestSides, readSide, type Side } from '../diff/sides.js';
import { failure, type Outcome, success } from '../outcome.js';
import { formatDiff } from '../report/diff-text.js';
import { explain, terminalWidth } from './session.js';

/** The options of `diff` as the command line gives them. */
export interface DiffCommandOptions {
  before?: string[];
  after?: string[];
  byKernel?: boolean;
  slower?: boolean;
  json?: boolean;
  mail?: boolean;
}

/** Columns of a mail to a kernel list. */
const MAIL = 74;

/** `daxrepro diff BEFORE AFTER`. Its help explains the exit codes. */
export function diffCommand(
  first: string | undefined,
  second: string | undefined,
  options: DiffCommandOptions,
  argv: string[],
): number {
  if (options.json && options.mail) {
    const what = '--json and --mail both write to stdout';
    return explain(failure('usage', what, 'Leave out one of them').failure);
  }
  const given = (one: string | undefined) => (one === undefined ? [] : [one]);
  const old = [...given(first), ...(options.before ?? [])];
  const young = [...given(second), ...(options.after ?? [])];
  const sides = readSides(old, young);
  if (!sides.ok) return explain(sides.failure);
  const { before, after } = sides.value;
  const how = { byKernel: options.byKernel === true, slowerIsWorse: options.slower === true };
  const result = diff(before, after, how, argv);
  process.stdout.write(`${print(result, options)}\n`);
  return exitCodeOfDiff(result);
}

function readSides(
  old: readonly string[],
  young: readonly string[],
): Outcome<{ before: Side; after: Side }> {
  if (old.length === 0 && young.length === 0) return newestSides();
  // Probably a script's variable was empty.
  if (old.length === 0 || young.length === 0) {
    return failure(
      'usage',
      'A diff has two sides, but only one is named',
      'Name both: daxrepro diff BEFORE AFTER; or neither, to compare the newest run with the latest earlier run of one of its tests',
    );
  }
  const before = readSide(old);
  if (!before.ok) return before;
  const after = readSide(young);
  if (!after.ok) return after;
  return success({ before: before.value, after: after.value });
}

function print(result: ReturnType<typeof diff>, { json, mail }: DiffCommandOptions): string {
  if (json) return JSON.stringify(result, null, 2);
  return formatDiff(result, { width: mail ? MAIL : terminalWidth() });
}
