import { execa } from 'execa';

/**
 * Children that cannot outlive us, however we end.
 *
 * The kernel sends a parent-death signal when we die, SIGKILL included (prctl(2),
 * PR_SET_PDEATHSIG; util-linux' setpriv sets it). There is a gap between fork and prctl in which
 * we may already be dead: a child therefore compares its parent with the process id it was given.
 *
 * Both run in a session of their own, so that a Ctrl-C on the terminal reaches us alone and we
 * decide how they end.
 */

/** For a program without children of its own, QEMU: the signal goes straight to it. */
const SINGLE_GUARD = '[ "$PPID" = "$0" ] || exit 125; exec "$@"';

/**
 * For a program with children, make: killing make alone would leave its compilers running. The
 * guard leads a process group and takes the whole of it along.
 */
const TREE_GUARD = [
  'trap "trap - TERM; kill -KILL 0" TERM INT HUP',
  '[ "$PPID" = "$0" ] || exit 125',
  // By itself a shell gives /dev/null to what it starts in the background.
  'exec 3<&0',
  '"$@" <&3 3<&- & wait "$!"',
].join('; ');

export type Shape = 'single' | 'tree';

/**
 * The command that starts `argv` bound to this process. Spawn it with `detached: true`.
 *
 * @param shape `single`: the program starts no children; `tree`: its children die with it
 */
export function boundArgv(argv: readonly string[], shape: Shape): [string, ...string[]] {
  const [signal, guard] = shape === 'single' ? ['KILL', SINGLE_GUARD] : ['TERM', TREE_GUARD];
  const parent = String(process.pid);
  return ['setpriv', '--pdeathsig', signal, '--', 'sh', '-c', guard, parent, ...argv];
}

export interface ToolOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Text for its standard input; empty by default. */
  input?: string;
  /** Milliseconds; then the whole tree is killed. */
  timeout?: number;
  signal?: AbortSignal;
  /** Called with each line of both output streams, as it comes. */
  onLine?: (line: string) => void;
}

export interface ToolResult {
  /** True where the program ran and exited with 0. */
  ok: boolean;
  exitCode: number | undefined;
  /** Both without the last newline. */
  stdout: string;
  stderr: string;
  /** Both streams in the order they came: what a failure shows. */
  all: string;
  /** One line, safe for a terminal: `Command failed with exit code 2: make …`. */
  summary: string;
  timedOut: boolean;
  canceled: boolean;
}

/** Runs a program to its end; it and all its children die with us. Never throws for its failure. */
export async function runTool(
  argv: readonly [string, ...string[]],
  { cwd, env, input, timeout, signal, onLine }: ToolOptions = {},
): Promise<ToolResult> {
  const [program, ...rest] = boundArgv(argv, 'tree');
  const subprocess = execa(program, rest, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    input: input ?? '',
    all: true,
    detached: true,
    reject: false,
    killSignal: 'SIGTERM',
    forceKillAfterDelay: 2000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (onLine) {
    for await (const line of subprocess.iterable({ from: 'all' })) onLine(line);
  }
  const result = await subprocess;
  return {
    ok: !result.failed,
    exitCode: result.exitCode,
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? '',
    all: result.all ?? '',
    summary: result.failed ? describe(argv, result) : '',
    timedOut: result.timedOut,
    canceled: result.isCanceled,
  };
}

function describe(
  argv: readonly string[],
  result: { exitCode?: number; signal?: string; timedOut: boolean; isCanceled: boolean },
): string {
  const how = result.isCanceled
    ? 'was interrupted'
    : result.timedOut
      ? 'did not end in time'
      : result.exitCode === undefined
        ? `was killed by ${result.signal ?? 'an unknown signal'}`
        : result.exitCode === 127
          ? 'was not found'
          : `failed with exit code ${result.exitCode}`;
  return `\`${argv.join(' ')}\` ${how}`;
}
