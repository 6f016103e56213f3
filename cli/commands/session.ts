import { basename, join } from 'node:path';
import { EXIT, exitCodeOf, type Failure, formatFailure, type Outcome } from '../outcome.js';
import { formatJunit } from '../report/junit.js';
import { makeReporter, type Reporter } from '../report/reporter.js';
import { jsonPieces, writeDocument, writeWhole } from '../results/run-directory.js';
import type { RunResult } from '../results/run-result.js';

/** What the commands that run guests share: progress, Ctrl-C, and how they end. */

export interface Session {
  reporter: Reporter;
  signal: AbortSignal;
}

/**
 * The first Ctrl-C ends the guests and saves what is known; the second ends daxrepro at once.
 *
 * @param work returns its exit code, or the failure to print
 * @param interrupted what the first Ctrl-C says
 * @returns the exit code
 */
export async function inSession(
  work: (session: Session) => Promise<number | Outcome<number>>,
  interrupted = 'interrupted: ending the guests',
): Promise<number> {
  const interruption = new AbortController();
  const reporter = makeReporter();
  const interrupt = () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    reporter.progress({ type: 'note', text: interrupted });
    interruption.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, interrupt);
  try {
    const ended = await work({ reporter, signal: interruption.signal });
    if (typeof ended === 'number') return ended;
    if (ended.ok) return ended.value;
    // A tool that Ctrl-C killed reports a failure of its own, which is none.
    return interruption.signal.aborted ? EXIT.interrupted : explain(ended.failure, reporter);
  } finally {
    reporter.end();
    for (const name of signals) process.off(name, interrupt);
  }
}

/** Prints why the command ends here, and returns its exit code. */
export function explain(failed: Failure, reporter?: Reporter): number {
  reporter?.end();
  process.stderr.write(`${formatFailure(failed)}\n`);
  return exitCodeOf(failed);
}

/** Prints a report, or a document as JSON, on stdout. */
export function print(report: string | object): void {
  const pieces = typeof report === 'string' ? [report] : jsonPieces(report);
  for (const piece of pieces) process.stdout.write(piece);
  process.stdout.write('\n');
}

/** Names the run that a command without a run's name takes. */
export function sayNewest(directory: string, { reporter }: Pick<Session, 'reporter'>): void {
  reporter.progress({ type: 'note', text: `taking the newest run, ${basename(directory)}` });
}

/**
 * Writes result.json and results.xml. A run whose result could not be kept is no success.
 *
 * @param code the exit code of a run that was not interrupted
 */
export function keepResult(
  result: RunResult,
  code: number,
  { signal }: Pick<Session, 'signal'>,
): number {
  const own = signal.aborted ? EXIT.interrupted : code;
  let file = 'result.json';
  try {
    writeDocument(join(result.directory, file), result);
    file = 'results.xml';
    writeWhole(join(result.directory, file), formatJunit(result));
    return own;
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(`daxrepro: ${file} could not be written: ${message}\n`);
    return own === EXIT.ok ? EXIT.noVerdict : own;
  }
}

export function wantsColour(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'];
}

/** Columns below which a table is unreadable. */
const NARROWEST = 40;

/** Columns of stdout; of a text file where stdout is no terminal. */
export function terminalWidth(): number {
  return Math.max(process.stdout.columns ?? 100, NARROWEST);
}

/** Tells who seems to want the control without DAX how to ask for it. */
export function suggestControl(result: RunResult): void {
  const seems = result.units.some(
    ({ verdict, pmem, control }) => verdict === 'invalid' && pmem === 'none' && !control,
  );
  if (!seems) return;
  process.stderr.write(
    'daxrepro: --pmem none runs without DAX. Add --control if you want that comparison.\n',
  );
}
