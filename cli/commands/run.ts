import { availableParallelism, freemem, release } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { EXIT, exitCodeOf, type Failure, formatFailure } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { makeReporter, type Reporter } from '../report/reporter.js';
import { formatSummary } from '../report/summary.js';
import { runUnits } from '../run/engine.js';
import { type Prepared, prepare } from '../run/prepare.js';
import {
  type CheckedRequest,
  checkRequest,
  type RunOptions,
  replayCommand,
  shellQuote,
} from '../run/request.js';
import { exitCodeOfUnits, type RunResult, type UnitResult, worstVerdict } from '../run/result.js';
import { defaultRunsDirectory, makeRunDirectory, writeJson } from '../run/run-directory.js';
import { unitArgv } from '../run/run-unit.js';
import { defaultStore } from '../store/store.js';
import { ensureSystem } from '../system/install.js';
import { version } from '../version.js';

/** `daxrepro run <fs> <test...>`: its exit code is the contract's. */
export async function runCommand(
  fs: string,
  tests: string[],
  options: RunOptions,
  argv: string[],
): Promise<number> {
  const checked = checkRequest(fs, tests, options);
  if (!checked.ok) return explain(checked.failure);
  const interruption = new AbortController();
  const reporter = makeReporter();
  const stop = interruptible(interruption, reporter);
  try {
    return await run(checked.value, options, argv, reporter, interruption.signal);
  } finally {
    reporter.end();
    stop();
  }
}

async function run(
  checked: CheckedRequest,
  options: RunOptions,
  argv: string[],
  reporter: Reporter,
  signal: AbortSignal,
): Promise<number> {
  const { request } = checked;
  const started = new Date();
  const progress = reporter.progress.bind(reporter);
  const parts = ['run', 'debian-kernel', 'build'] as const;
  const needed = request.kernel.startsWith('debian:') ? parts : (['run'] as const);
  const system = await ensureSystem(needed, { progress, signal });
  if (!system.ok) return explain(system.failure, reporter);

  const context = { store: defaultStore(), progress, signal };
  const prepared = await prepare(
    {
      kernel: request.kernel,
      fs: request.fs,
      variant: request.variant,
      accelerator: checked.accelerator,
    },
    context,
  );
  if (signal.aborted) return EXIT.interrupted;
  if (!prepared.ok) return explain(prepared.failure, reporter);

  const units = planUnits(request, prepared.value.kernel.release);
  if (options.dryRun) return printDryRun(units, prepared.value, options);

  const directory = makeRunDirectory(
    options.out ?? defaultRunsDirectory(),
    units[0] as Unit,
    started,
  );
  if (!directory.ok) return explain(directory.failure, reporter);
  reporter.expect(units.length);
  const [results, qemu] = await Promise.all([
    runUnits(units, {
      prepared: () => prepared.value,
      directory: directory.value,
      jobs: checked.jobs ?? guestsAtATime(units),
      replay: (unit) => replayCommand(unit, request),
      observer: reporter,
      signal,
    }),
    qemuVersion(prepared.value.qemu),
  ]);
  const result: RunResult = {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command: argv,
    verdict: worstVerdict(results),
    units: results,
    host: { kernel: release(), qemu, node: process.version, cpus: availableParallelism() },
    started: started.toISOString(),
    durationSeconds: Math.round((Date.now() - started.getTime()) / 10) / 100,
    directory: directory.value,
  };
  reporter.end();
  return conclude(result, request, options, signal);
}

function conclude(
  result: RunResult,
  request: RunRequest,
  options: RunOptions,
  signal: AbortSignal,
): number {
  let code: number = signal.aborted ? EXIT.interrupted : exitCodeOfUnits(result.units);
  try {
    writeJson(join(result.directory, 'result.json'), result);
  } catch (error) {
    process.stderr.write(
      `daxrepro: result.json could not be written: ${(error as Error).message}\n`,
    );
    if (code === EXIT.ok) code = EXIT.noVerdict;
  }
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(`${formatSummary(result, { colour: wantsColour() })}\n`);
  if (result.units.some((unit) => suggestsControl(unit, request))) {
    process.stderr.write(
      'daxrepro: --pmem none is the control without DAX; where that is what you want, say --control.\n',
    );
  }
  return code;
}

function suggestsControl(unit: UnitResult, request: RunRequest): boolean {
  return unit.verdict === 'invalid' && request.pmem === 'none' && !request.control;
}

function wantsColour(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'];
}

/** What a guest really uses of its memory, and what the host keeps for itself. */
const MEMORY_OF_A_GUEST = 1.5 * 2 ** 30;

function guestsAtATime(units: readonly Unit[]): number {
  const devices = Math.max(...units.map(({ shape }) => 2 * shape.deviceSize));
  const byMemory = Math.floor(freemem() / (MEMORY_OF_A_GUEST + devices));
  return Math.max(1, Math.min(availableParallelism(), byMemory));
}

async function qemuVersion(qemu: string): Promise<string> {
  const { stdout } = await execa(qemu, ['--version'], { reject: false });
  return stdout.split('\n')[0] ?? '';
}

/** The command lines of a run, one a line, as a shell would take them; descriptors 3 to 7 are ours. */
function printDryRun(units: readonly Unit[], prepared: Prepared, { json }: RunOptions): number {
  const lines = new Set(
    units.map((unit) => {
      const argv = unitArgv(unit, prepared);
      return json ? JSON.stringify(argv) : argv.map(shellQuote).join(' ');
    }),
  );
  process.stdout.write(json ? `[${[...lines].join(',')}]\n` : `${[...lines].join('\n')}\n`);
  return EXIT.ok;
}

function explain(failed: Failure, reporter?: Reporter): number {
  reporter?.end();
  process.stderr.write(`${formatFailure(failed)}\n`);
  return exitCodeOf(failed);
}

/** The first Ctrl-C ends guests and writes down what is known; the second ends us. */
function interruptible(interruption: AbortController, reporter: Reporter): () => void {
  const interrupt = () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    reporter.progress({ type: 'note', text: 'interrupted: ending the guests' });
    interruption.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, interrupt);
  return () => {
    for (const name of signals) process.off(name, interrupt);
  };
}
