import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type FinalResults, Parser, type Result } from 'tap-parser';
import { root } from './select.js';

/** The result of one test file. */
export interface FileResult {
  file: string;
  seconds: number;
  /** Assertions that passed. */
  passed: number;
  failures: Failure[];
  /** Reasons for skipped and todo tests; one entry each. */
  skipped: string[];
  /** The file's output besides its results. */
  output: string;
}

export interface Failure {
  name: string;
  /** tap's details. */
  detail: unknown;
}

const loader = fileURLToPath(new URL('../loader/register.js', import.meta.url));

/** Longest output of a test, in characters; the end of it is shown. */
const LONGEST_OUTPUT = 20_000;

/** How long its output may stay open after its end, in milliseconds. */
const GRACE = 10_000;

interface Limits {
  seconds: number;
  signal: AbortSignal;
}

export async function runFile(file: string, { seconds, signal }: Limits): Promise<FileResult> {
  const begun = performance.now();
  const result: FileResult = { file, seconds: 0, passed: 0, failures: [], skipped: [], output: '' };
  const say = (text: string) => {
    result.output = (result.output + text).slice(-LONGEST_OUTPUT);
  };
  const child = spawn(process.execPath, ['--import', loader, file], {
    cwd: root,
    // tap ends the file in time and reports its current test; this is for a file that cannot.
    timeout: (seconds + 30) * 1000,
    killSignal: 'SIGKILL',
    // Like tap's own runner when its output is not a terminal: tests compare printed text.
    env: { ...process.env, NO_COLOR: '1', TAP_TIMEOUT: String(seconds) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const interrupt = () => child.kill('SIGTERM');
  signal.addEventListener('abort', interrupt);
  child.stderr.setEncoding('utf8').on('data', say);
  const parser = new Parser();
  const results = new Promise<FinalResults>((done) => parser.on('complete', done));
  listen(parser, result, say);
  child.stdout.on('data', (chunk) => parser.write(chunk));
  const problem = await end(child);
  signal.removeEventListener('abort', interrupt);
  parser.end();
  conclude(result, await results, problem);
  result.seconds = (performance.now() - begun) / 1000;
  return result;
}

/** @returns the problem with its end */
function end(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string | undefined> {
  return new Promise((done) => {
    let problem: string | undefined;
    child.on('error', ({ message }) => done(message));
    child.on('exit', (code, signal) => {
      if (code !== 0) problem = `the process ended with ${signal ?? `exit code ${code}`}`;
      // A process that it left running keeps its output open.
      const held = setTimeout(() => {
        problem ??= 'a process that it started is still running';
        child.stdout.destroy();
        child.stderr.destroy();
      }, GRACE);
      child.on('close', () => clearTimeout(held));
    });
    child.on('close', () => done(problem));
  });
}

/** An assertion that only reports the end of a subtest is not counted. */
function listen(parser: Parser, result: FileResult, say: (text: string) => void): void {
  parser.on('child', (child: Parser) => listen(child, result, say));
  parser.on('extra', say);
  parser.on('assert', (assert: Result) => {
    if (assert.closingTestPoint) return;
    if (assert.skip || assert.todo) result.skipped.push(String(assert.skip || assert.todo));
    else if (assert.ok) result.passed += 1;
    else result.failures.push({ name: assert.fullname, detail: assert.diag ?? undefined });
  });
}

/** Any problem without a failed assertion is a failure, too. */
function conclude(result: FileResult, results: FinalResults, problem: string | undefined): void {
  const fail = (name: string) => result.failures.push({ name, detail: undefined });
  const { plan, bailout, count, ok } = results;
  if (bailout) fail(`bailed out: ${String(bailout)}`);
  // tap-parser rejects the empty output of a skipped test.
  const isEmpty = count === 0 && (!plan.skipAll || plan.skipReason === 'no tests found');
  if (plan.skipAll && !isEmpty) result.skipped.push(plan.skipReason || 'the whole file');
  if (result.failures.length > 0) return;
  if (problem !== undefined) fail(problem);
  else if (isEmpty) fail('it has no test');
  else if (!ok) fail(whatIsInvalid(results));
}

/** The problem of results without a failed assertion. */
function whatIsInvalid({ failures }: FinalResults): string {
  const errors = failures.map(({ tapError }) => tapError ?? 'a subtest failed');
  return `the results are not valid: ${errors.join(', ')}`;
}
