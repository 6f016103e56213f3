import { diff, exitCodeOfDiff } from '../diff/diff.js';
import { readSide } from '../diff/sides.js';
import { failure } from '../outcome.js';
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

/** `daxrepro diff BEFORE AFTER`: its exit code stands in its help. */
export function diffCommand(
  first: string | undefined,
  second: string | undefined,
  options: DiffCommandOptions,
  argv: string[],
): number {
  if (options.json && options.mail) {
    const what = '--json and --mail both want stdout';
    return explain(failure('usage', what, 'Leave one of them out').failure);
  }
  const given = (one: string | undefined) => (one === undefined ? [] : [one]);
  const old = [...given(first), ...(options.before ?? [])];
  const young = [...given(second), ...(options.after ?? [])];
  if (old.length === 0 || young.length === 0) {
    return explain(
      failure(
        'usage',
        'A diff has two sides',
        'Name a run of each: daxrepro diff BEFORE AFTER; more with --before and --after',
      ).failure,
    );
  }
  const before = readSide(old);
  if (!before.ok) return explain(before.failure);
  const after = readSide(young);
  if (!after.ok) return explain(after.failure);
  const how = { byKernel: options.byKernel === true, slowerIsWorse: options.slower === true };
  const result = diff(before.value, after.value, how, argv);
  process.stdout.write(`${print(result, options)}\n`);
  return exitCodeOfDiff(result);
}

function print(result: ReturnType<typeof diff>, { json, mail }: DiffCommandOptions): string {
  if (json) return JSON.stringify(result, null, 2);
  return formatDiff(result, { width: mail ? MAIL : terminalWidth() });
}
