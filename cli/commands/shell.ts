import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shellArchive } from '../guest/shell-archive.js';
import { ImageBudget } from '../launch/images.js';
import type { Prepared } from '../launch/prepared.js';
import { EXIT, failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { Unit } from '../plan/unit.js';
import { formatSummary } from '../report/summary.js';
import { defaultRunsDirectory, makeRunDirectory, unitFolder } from '../results/run-directory.js';
import { exitCodeOfUnits, type RunResult, type UnitResult } from '../results/run-result.js';
import { runResult } from '../run/conclude.js';
import { describeHost } from '../run/host.js';
import { prepare } from '../run/prepare.js';
import {
  type CheckedRequest,
  checkSession,
  type RunOptions,
  replayOptions,
  shellQuote,
} from '../run/request.js';
import { runUnit } from '../run/run-unit.js';
import { packSuite } from '../run/suite.js';
import { concludeUnit } from '../run/unit-result.js';
import { banner, gdbLines } from '../shell/banner.js';
import { type GdbPlace, gdbHelp, gdbPlace } from '../shell/gdb.js';
import { changesOf, type OpenedUnit, openUnit } from '../shell/kept-image.js';
import { ENDLESS, type Known, Session } from '../shell/session.js';
import { defaultStore, storageFailure } from '../store/store.js';
import {
  type Session as CommandSession,
  ensureSystemFor,
  explain,
  inSession,
  keepResult,
  wantsColour,
} from './session.js';

/** The options of `shell`; those that it shares with `run` mean the same. */
export interface ShellOptions
  extends Pick<
    RunOptions,
    | 'cc'
    | 'kconfig'
    | 'patch'
    | 'steps'
    | 'mountOpts'
    | 'mkfsOpts'
    | 'size'
    | 'timeout'
    | 'cpus'
    | 'accel'
    | 'suite'
    | 'control'
    | 'checkpoint'
    | 'keepImages'
    | 'out'
    | 'json'
    | 'kernel'
    | 'pmem'
    | 'configured'
  > {
  /** A command in place of a person. */
  run?: string;
  /** A run, or a unit of one, whose image to look at. */
  from?: string;
  /** true: a socket of our own. */
  gdb?: string | true;
  gdbWait?: boolean;
}

/** What of the options was given on the command line, by their names. */
export type Given = (name: string) => boolean;

/** `daxrepro shell [fs]`: a guest to work in. */
export async function shellCommand(
  fs: string | undefined,
  options: ShellOptions,
  given: Given,
  argv: string[],
): Promise<number> {
  const refused = refuse(fs, options);
  if (refused) return explain(refused);
  return inSession(async (session) => {
    const opened =
      options.from === undefined ? undefined : await openUnit(options.from, session.signal);
    if (opened && !opened.ok) return explain(opened.failure, session.reporter);
    try {
      const asked = askedFor(fs, options, given, opened?.value);
      if (!asked.ok) return explain(asked.failure, session.reporter);
      return await work(asked.value, options, opened?.value, argv, session);
    } finally {
      opened?.value.close();
    }
  });
}

function refuse(fs: string | undefined, options: ShellOptions) {
  const problem = whatIsWrong(fs, options);
  return problem && failure('usage', ...problem).failure;
}

function whatIsWrong(
  fs: string | undefined,
  { run, json, from, gdb, gdbWait }: ShellOptions,
): [string, string] | undefined {
  if (fs === undefined && from === undefined) {
    return ['No file system is named', 'Name ext2, ext4 or xfs, or a run with --from'];
  }
  if (gdbWait && gdb === undefined) return ['--gdb-wait without --gdb', 'Say --gdb, too'];
  if (run === '') return ['--run has no command', 'Give one: --run "ls -l"'];
  if (run !== undefined) return undefined;
  if (json) return ['--json without --run', 'Say what to run: the terminal is taken otherwise'];
  if (process.stdin.isTTY && process.stdout.isTTY) return undefined;
  return [
    'A shell needs a terminal on its standard input and output',
    'Give a command with --run; `--run bash` reads commands from the standard input',
  ];
}

/** The request, for an image what its unit was run with, but for what the command line says. */
function askedFor(
  fs: string | undefined,
  options: ShellOptions,
  given: Given,
  opened: OpenedUnit | undefined,
): Outcome<CheckedRequest> {
  const timeout = options.timeout ?? String(ENDLESS);
  const usual = { ...options, timeout, repeat: '1' };
  if (!opened) return checkSession(fs ?? '', usual);
  const { unit, size } = opened;
  if (fs !== undefined && fs !== unit.fs) {
    return failure('usage', `The image is of ${unit.fs}, not ${fs}`, `Say ${unit.fs}, or nothing`);
  }
  const changes = given('patch') ? options.patch : changesOf(unit);
  return checkSession(unit.fs, {
    ...usual,
    kernel: given('kernel') ? options.kernel : unit.kernel.spec,
    pmem: given('pmem') ? options.pmem : unit.pmem,
    patch: changes && changes.length > 0 ? changes : undefined,
    size: String(size),
    control: options.control ?? unit.control,
  } as RunOptions);
}

async function work(
  { request, accelerator, imageBytes }: CheckedRequest,
  options: ShellOptions,
  opened: OpenedUnit | undefined,
  argv: string[],
  { reporter, signal }: CommandSession,
): Promise<number> {
  const started = new Date();
  const session = { reporter, signal };
  const system = await ensureSystemFor(request, request.variant.changes, session);
  if (!system.ok) return explain(system.failure, reporter);
  const progress = reporter.progress.bind(reporter);
  const context = { store: defaultStore(), progress, signal };
  const suite = await packSuite(request.suite, context);
  if (!suite.ok) return explain(suite.failure, reporter);
  const programs = await shellArchive(context);
  if (!programs.ok) return explain(programs.failure, reporter);
  const { kernel, fs, variant, build } = request;
  const prepared = await prepare(
    { kernel, fs, variant, build, accelerator, suite: suite.value, programs: programs.value },
    context,
  );
  if (signal.aborted) return EXIT.interrupted;
  if (!prepared.ok) return explain(prepared.failure, reporter);

  const unit = planned(request, prepared.value, opened !== undefined);
  const gdb = options.gdb === undefined ? success(undefined) : await gdbPlace(options.gdb);
  if (!gdb.ok) return explain(gdb.failure, reporter);
  const directory = makeRunDirectory(options.out ?? defaultRunsDirectory(), unit, started);
  if (!directory.ok) return explain(directory.failure, reporter);
  try {
    const ran = await runSession(unit, prepared.value, {
      options,
      opened,
      gdb: gdb.value,
      imageBytes,
      directory: directory.value,
      replay: replayOf(unit, request, options),
      session,
    });
    if (!ran.ok) return explain(ran.failure, reporter);
    const host = await describeHost(prepared.value.qemu);
    const { result: one, status, left } = ran.value;
    const result: ShellResult = {
      ...runResult(argv, started, [one], host, directory.value),
      shell: { status: status ?? null },
    };
    reporter.end();
    return conclude(result, options, {
      left: left ?? (signal.aborted ? 'interrupted' : undefined),
    });
  } finally {
    await gdb.value?.close();
  }
}

/** A run's result, and how the program ended; null where it did not. */
type ShellResult = RunResult & { shell: { status: number | null } };

function planned(request: CheckedRequest['request'], { kernel }: Prepared, look: boolean): Unit {
  const [unit] = planUnits({ ...request, kernel: kernel.spec }, kernel.release);
  if (!unit) throw new Error('a request without a unit');
  const { name, version } = request.suite;
  return {
    ...unit,
    // That the guest has a tree of tests makes it no test of that tree.
    suite: { name: 'builtin', version: name === 'builtin' ? version : '' },
    facts: undefined,
    session: look ? 'image' : 'file-system',
    shape: { ...unit.shape, terminal: true },
  };
}

interface SessionContext {
  options: ShellOptions;
  opened: OpenedUnit | undefined;
  gdb: GdbPlace | undefined;
  imageBytes: number;
  /** The run's. */
  directory: string;
  replay: string;
  session: CommandSession;
}

async function runSession(
  unit: Unit,
  prepared: Prepared,
  { options, opened, gdb, imageBytes, directory, replay, session }: SessionContext,
): Promise<Outcome<{ result: UnitResult; status: number | undefined; left: string | undefined }>> {
  const { reporter } = session;
  const leaving = new AbortController();
  let left: string | undefined;
  let inSession = false;
  const help = ({ symbols }: Partial<Known>) =>
    gdb && gdbHelp(gdb, prepared.kernel, prepared.module, symbols);
  const guestSession = new Session({
    command: options.run,
    look: opened !== undefined,
    gdb: gdb && { gdb: gdb.address, wait: options.gdbWait === true },
    streams: {
      input: process.stdin,
      // One document is all that stdout has with --json.
      output: options.json ? process.stderr : process.stdout,
      errors: process.stderr,
    },
    banner: (known) => {
      const gdbKnown = help(known);
      if (options.run !== undefined) return gdbKnown ? gdbLines(gdbKnown).join('\n') : '';
      return banner(unit, prepared, known, { images: opened?.images ?? [], gdb: gdbKnown });
    },
    waiting: () => {
      const known = help({});
      reporter.end();
      return [
        ...(known ? gdbLines(known) : []),
        'the guest stands still, and has not loaded the module: `continue` in gdb lets it go on',
      ].join('\n');
    },
    onBegin: () => {
      inSession = true;
      reporter.end();
    },
    leave: (reason) => {
      left = reason;
      leaving.abort();
    },
  });
  const signal = AbortSignal.any([session.signal, leaving.signal]);
  const folder = join(directory, unitFolder(unit, 0));
  const began = performance.now();
  try {
    await mkdir(folder, { recursive: true });
    const ran = await runUnit(unit, {
      prepared,
      directory: folder,
      store: defaultStore(),
      checkpoints: options.checkpoint !== false,
      images: new ImageBudget(imageBytes),
      contents: opened?.contents,
      session: guestSession,
      progress: reporter.progress.bind(reporter),
      onStep: (step) => {
        if (step === 'prove') inSession = false;
        // The terminal is not ours.
        if (!inSession) reporter.unitStep(unit, 0, step);
      },
      signal,
    });
    guestSession.close();
    const result = concludeUnit(
      unit,
      0,
      ran,
      { prepared: () => prepared, directory, replay: () => replay },
      { started: began },
    );
    return success({ result, status: guestSession.status, left });
  } catch (error) {
    return storageFailure(folder, error);
  } finally {
    guestSession.close();
  }
}

/** The command that has this guest again. */
function replayOf(
  unit: Unit,
  request: CheckedRequest['request'],
  { run, from }: ShellOptions,
): string {
  return [
    ...['daxrepro', 'shell', unit.fs],
    ...replayOptions(unit, request, String(ENDLESS)),
    ...(from === undefined ? [] : ['--from', shellQuote(from)]),
    ...(run === undefined ? [] : ['--run', shellQuote(run)]),
  ].join(' ');
}

function conclude(
  result: ShellResult,
  { run, json, from }: ShellOptions,
  { left }: { left: string | undefined },
): number {
  const code = keepResult(result, left === undefined ? exitCode(result) : EXIT.interrupted);
  if (left !== undefined) {
    process.stderr.write(
      `daxrepro: ${left}: the file system was not checked, and there is no verdict.\n`,
    );
  }
  if (json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return code;
  }
  // What the command wrote is alone on stdout.
  const stream = run === undefined ? process.stdout : process.stderr;
  const [unit] = result.units;
  if (from !== undefined && unit?.verdict === 'notrun') {
    stream.write(`The image is as it was.\n\nfiles    ${result.directory}\n`);
  } else {
    stream.write(`${formatSummary(result, { colour: wantsColour() })}\n`);
  }
  return code;
}

/** Of an image that was looked at there is no verdict: it went well where the command did. */
function exitCode({ units, shell }: ShellResult): number {
  const [unit] = units;
  if (unit?.verdict !== 'notrun') return exitCodeOfUnits(units);
  return shell.status === 0 || shell.status === null ? EXIT.ok : EXIT.failed;
}
