import { basename, join } from 'node:path';
import { checkBuild } from '../kernel/full-build.js';
import type { BuildOptions } from '../kernel/kernel.js';
import { type KernelSpec, parseSpec } from '../kernel/spec.js';
import { EXIT, exitCodeOf, type Failure, formatFailure, type Outcome } from '../outcome.js';
import { formatJunit } from '../report/junit.js';
import { makeReporter, type Reporter } from '../report/reporter.js';
import { writeJson, writeWhole } from '../results/run-directory.js';
import type { RunResult } from '../results/run-result.js';
import { ensureSystem } from '../system/install.js';
import type { Part } from '../system/requirements.js';
import { readChangeFiles } from '../variant/changes.js';

/** What the commands that run guests have in common: progress, Ctrl-C, and how they end. */

export interface Session {
  reporter: Reporter;
  signal: AbortSignal;
}

/** The first Ctrl-C ends guests and writes down what is known; the second ends us. */
export async function inSession(work: (session: Session) => Promise<number>): Promise<number> {
  const interruption = new AbortController();
  const reporter = makeReporter();
  const interrupt = () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    reporter.progress({ type: 'note', text: 'interrupted: ending the guests' });
    interruption.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, interrupt);
  try {
    return await work({ reporter, signal: interruption.signal });
  } finally {
    reporter.end();
    for (const name of signals) process.off(name, interrupt);
  }
}

/** Says why the command ends here, and returns its exit code. */
export function explain(failed: Failure, reporter?: Reporter): number {
  reporter?.end();
  process.stderr.write(`${formatFailure(failed)}\n`);
  return exitCodeOf(failed);
}

/** Where no run was named it is said which one it is: the newest is seldom looked up first. */
export function sayNewest(directory: string, { reporter }: Pick<Session, 'reporter'>): void {
  reporter.progress({ type: 'note', text: `taking the newest run, ${basename(directory)}` });
}

/** What running on this kernel takes of the system is there afterwards. */
export async function ensureSystemFor(
  { kernel, build = {} }: { kernel: string; build?: BuildOptions | undefined },
  changes: readonly string[],
  { reporter, signal }: Session,
): Promise<Outcome<void>> {
  // What can be refused is refused before anything is installed or fetched.
  const spec = await parseSpec(kernel);
  if (!spec.ok) return spec;
  const readable = await readChangeFiles(changes);
  if (!readable.ok) return readable;
  const buildable = await checkBuild(build);
  if (!buildable.ok) return buildable;
  return ensureSystem(PARTS[spec.value.type], {
    progress: reporter.progress.bind(reporter),
    signal,
  });
}

/** What building the kernel itself takes is only known, and installed, when it has to be built. */
const PARTS: Record<KernelSpec['type'], readonly Part[]> = {
  debian: ['run', 'debian-kernel', 'build'],
  debsrc: ['run', 'debian-kernel', 'build'],
  src: ['run', 'build', 'patches'],
  image: ['run'],
  host: ['run'],
};

/** Writes result.json and results.xml. A run whose result could not be kept is no success. */
export function keepResult(result: RunResult, code: number): number {
  let file = 'result.json';
  try {
    writeJson(join(result.directory, file), result);
    file = 'results.xml';
    writeWhole(join(result.directory, file), formatJunit(result));
    return code;
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(`daxrepro: ${file} could not be written: ${message}\n`);
    return code === EXIT.ok ? EXIT.noVerdict : code;
  }
}

export function wantsColour(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'];
}

/** Narrower than this a table is no table. */
const NARROWEST = 40;

/** Of what goes to stdout; where that is no terminal, of what people read in files. */
export function terminalWidth(): number {
  return Math.max(process.stdout.columns ?? 100, NARROWEST);
}

/** The control without DAX has to be asked for; whoever seems to want it is told how. */
export function suggestControl(result: RunResult): void {
  const seems = result.units.some(
    ({ verdict, pmem, control }) => verdict === 'invalid' && pmem === 'none' && !control,
  );
  if (!seems) return;
  process.stderr.write(
    'daxrepro: --pmem none is the control without DAX; where that is what you want, say --control.\n',
  );
}
