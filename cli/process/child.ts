import { execa } from 'execa';

/**
 * Starts children that cannot outlive us, however we end.
 *
 * The kernel sends them a parent-death signal when we die, even by SIGKILL (prctl(2),
 * PR_SET_PDEATHSIG; util-linux's setpriv sets it). We may already be dead between fork and prctl,
 * so a child compares its parent with the process id it was given.
 *
 * Both kinds run in a session of their own: a Ctrl-C on the terminal reaches only us, and we decide
 * how they end.
 */

/** For a program without children, such as QEMU: the signal goes straight to it. */
const SINGLE_GUARD = '[ "$PPID" = "$0" ] || exit 125; exec "$@"';

/**
 * For a program with children, such as make: killing make alone would leave its compilers running.
 * The guard leads a process group and kills all of it.
 */
const TREE_GUARD = [
  'trap "trap - TERM; kill -KILL 0" TERM INT HUP',
  '[ "$PPID" = "$0" ] || exit 125',
  // By default a shell gives background commands /dev/null as input.
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
  /** Milliseconds until the whole process tree is killed. */
  timeout?: number;
  signal?: AbortSignal;
  /** Called with each line of both output streams as it arrives. */
  onLine?: (line: string) => void;
}

export interface ToolResult {
  /** True if the program ran and exited with 0. */
  ok: boolean;
  exitCode: number | undefined;
  /** Both without the last newline. */
  stdout: string;
  stderr: string;
  /** Both streams in order of arrival, for error messages. */
  all: string;
  /** One line, safe for a terminal: `Command failed with exit code 2: make …`. */
  summary: string;
  timedOut: boolean;
  canceled: boolean;
}

/** Runs a program to its end; it and all its children die with us. Never throws if it fails. */
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
