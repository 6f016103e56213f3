import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shellArchive } from '../guest/shell-archive.js';
import { type OpenJob, openDirectory, setUp } from '../job/job.js';
import { unpreparedRun } from '../job/unprepared.js';
import { ImageBudget } from '../launch/images.js';
import type { Prepared } from '../launch/prepared.js';
import { type Failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { unitFolder } from '../results/run-directory.js';
import type { RunResult, UnitResult } from '../results/run-result.js';
import { runResult } from '../run/conclude.js';
import { describeHost } from '../run/host.js';
import { prepare } from '../run/prepare.js';
import { replayOptions } from '../run/replay-command.js';
import type { CheckedRequest } from '../run/request.js';
import { runUnit } from '../run/run-unit.js';
import { concludeUnit } from '../run/unit-result.js';
import { shellQuote } from '../shell-quote.js';
import { storageFailure } from '../store/store.js';
import { banner, gdbLines } from './banner.js';
import { type GdbPlace, gdbHelp, gdbPlace } from './gdb.js';
import type { OpenedUnit } from './kept-image.js';
import type { ShellOptions } from './request.js';
import { ENDLESS, type Known, Session } from './session.js';

/** The result of a run, and the exit status of the program; null if it did not end by itself. */
export type ShellResult = RunResult & { shell: { status: number | null } };

export interface Shell {
  result: ShellResult;
  /** Why the user left before the guest ended; undefined: they did not. */
  left: string | undefined;
}

/** A job whose reporter gives up the terminal when the shell takes it. */
export interface ShellJob extends OpenJob {
  reporter: OpenJob['reporter'] & { end(): void };
}

/** The document of `--json` for a guest that could not be prepared. */
export async function unpreparedShell(
  failed: Failure,
  { request, accelerator }: CheckedRequest,
  { out }: ShellOptions,
  open: ShellJob,
): Promise<Outcome<ShellResult>> {
  const result = await unpreparedRun({ failed, requests: [request], accelerator, out }, open);
  return result.ok ? success({ ...result.value, shell: { status: null } }) : result;
}

/** `daxrepro shell`: one guest, a terminal or command in it, and a verdict afterwards. */
export async function shellJob(
  { request, accelerator, imageBytes }: CheckedRequest,
  options: ShellOptions,
  opened: OpenedUnit | undefined,
  open: ShellJob,
): Promise<Outcome<Shell>> {
  const job = await setUp(open, [request], { changes: request.variant.changes, accelerator });
  if (!job.ok) return job;
  const programs = await shellArchive(job.value);
  if (!programs.ok) return programs;
  const { kernel, fs, variant, build } = request;
  const { suite } = job.value;
  const prepared = await prepare(
    { kernel, fs, variant, build, accelerator, suite, programs: programs.value },
    job.value,
  );
  if (!prepared.ok) return prepared;
  const unit = sessionUnit(
    { ...request, xfsprogs: job.value.xfsprogs },
    prepared.value,
    opened !== undefined,
  );
  const gdb = options.gdb === undefined ? success(undefined) : await gdbPlace(options.gdb);
  if (!gdb.ok) return gdb;
  const directory = openDirectory(open, options.out, unit);
  if (!directory.ok) return directory;
  try {
    const live = { unit, prepared: prepared.value, options, opened, gdb: gdb.value, job: open };
    const ran = await runSession(live, {
      imageBytes,
      directory: directory.value,
      replay: replayOf(unit, request, options),
    });
    if (!ran.ok) return ran;
    const host = await describeHost(prepared.value.qemu);
    const { result: one, status, left } = ran.value;
    const result = runResult(open.argv, open.started, [one], host, directory.value);
    return success({ result: { ...result, shell: { status: status ?? null } }, left });
  } finally {
    await gdb.value?.close();
  }
}

function sessionUnit(request: RunRequest, { kernel }: Prepared, look: boolean): Unit {
  const [unit] = planUnits({ ...request, kernel: kernel.spec }, kernel.release);
  if (!unit) throw new Error('a request without a unit');
  const { name, version } = request.suite;
  return {
    ...unit,
    // The guest may have a tree of tests, but the session is not one of them.
    suite: { name: 'builtin', version: name === 'builtin' ? version : '' },
    facts: undefined,
    session: look ? 'image' : 'file-system',
    shape: { ...unit.shape, terminal: true },
  };
}

interface LiveShell {
  unit: Unit;
  prepared: Prepared;
  options: ShellOptions;
  opened: OpenedUnit | undefined;
  gdb: GdbPlace | undefined;
  job: ShellJob;
}

interface SessionPlace {
  imageBytes: number;
  /** The run's. */
  directory: string;
  /** The command that starts this guest again. */
  replay: string;
}

interface SessionEnd {
  result: UnitResult;
  status: number | undefined;
  left: string | undefined;
}

async function runSession(
  live: LiveShell,
  { imageBytes, directory, replay }: SessionPlace,
): Promise<Outcome<SessionEnd>> {
  const { unit, prepared, options, opened, job } = live;
  const terminal = new SharedTerminal(live);
  const { session } = terminal;
  const folder = join(directory, unitFolder(unit, 0));
  const began = performance.now();
  try {
    await mkdir(folder, { recursive: true });
    const ran = await runUnit(unit, {
      prepared,
      directory: folder,
      store: job.store,
      checkpoints: options.checkpoint !== false,
      images: new ImageBudget(imageBytes),
      contents: opened?.contents,
      session,
      progress: job.progress,
      onStep: (step) => terminal.step(step),
      signal: AbortSignal.any([job.signal, terminal.leaving]),
    });
    session.close();
    const context = { prepared: () => prepared, directory, replay: () => replay };
    const result = concludeUnit(unit, 0, ran, context, { started: began });
    const left = terminal.left ?? (job.signal.aborted ? 'interrupted' : undefined);
    return success({ result, status: session.status, left });
  } catch (error) {
    return storageFailure(folder, error);
  } finally {
    session.close();
  }
}

/** The terminal: progress has it until the guest's program starts, and again after that ends. */
class SharedTerminal {
  readonly session: Session;
  /** Why the user left; undefined: they did not. */
  left: string | undefined;
  readonly #live: LiveShell;
  readonly #leaving = new AbortController();
  #inSession = false;

  constructor(live: LiveShell) {
    this.#live = live;
    const { options, opened, gdb } = live;
    this.session = new Session({
      command: options.run,
      look: opened !== undefined,
      gdb: gdb && { gdb: gdb.address, wait: options.gdbWait === true },
      streams: {
        input: process.stdin,
        // With --json, stdout has one document and nothing else.
        output: options.json ? process.stderr : process.stdout,
        errors: process.stderr,
      },
      banner: (known) => this.#banner(known),
      waiting: () => this.#waiting(),
      onBegin: () => {
        this.#inSession = true;
        live.job.reporter.end();
      },
      leave: (reason) => {
        this.left = reason;
        this.#leaving.abort();
      },
    });
  }

  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  step(step: string): void {
    if (step === 'prove') this.#inSession = false;
    if (!this.#inSession) this.#live.job.reporter.unitStep(this.#live.unit, 0, step);
  }

  #gdbHelp({ symbols }: Partial<Known>) {
    const { gdb, prepared } = this.#live;
    return gdb && gdbHelp(gdb, prepared.kernel, prepared.module, symbols);
  }

  #banner(known: Known): string {
    const { options, unit, prepared, opened } = this.#live;
    const gdb = this.#gdbHelp(known);
    if (options.run !== undefined) return gdb ? gdbLines(gdb).join('\n') : '';
    return banner(unit, prepared, known, { images: opened?.images ?? [], gdb });
  }

  #waiting(): string {
    const gdb = this.#gdbHelp({});
    this.#live.job.reporter.end();
    return [
      ...(gdb ? gdbLines(gdb) : []),
      'the guest is stopped before it loads the module: `continue` in gdb resumes it',
    ].join('\n');
  }
}

function replayOf(unit: Unit, request: RunRequest, { run, from }: ShellOptions): string {
  return [
    ...['daxrepro', 'shell', unit.fs],
    ...replayOptions(unit, request, String(ENDLESS)),
    ...(from === undefined ? [] : ['--from', shellQuote(from)]),
    ...(run === undefined ? [] : ['--run', shellQuote(run)]),
  ].join(' ');
}
