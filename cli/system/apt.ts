import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type Failure, failure, type Outcome, success } from '../outcome.js';
import type { ProgressEvent } from '../progress.js';

/**
 * Installs packages with the system's apt, as root. Unlike all other programs that we start, apt
 * does not die with us (`process/child.ts`): killed half-way, it leaves packages half-configured,
 * so it finishes even if we die. It stays in the terminal's session, where sudo asks for a
 * password.
 */

export interface AptContext {
  /** A prefix for the command: nothing, or sudo. */
  privilege: readonly string[];
  path: string;
  /** Where apt keeps its package lists. */
  lists: string;
  progress: (event: ProgressEvent) => void;
  signal?: AbortSignal;
  /** Milliseconds to wait for a lock that another process holds, and between two tries. */
  lockWait: number;
  lockPause: number;
}

const DAY = 24 * 60 * 60 * 1000;

export async function aptInstall(
  packages: readonly string[],
  context: AptContext,
): Promise<Outcome<void>> {
  let updated = false;
  const update = async () => {
    updated = true;
    context.progress({ type: 'stage', text: 'Reading package lists' });
    return aptGet(['update'], context);
  };
  // An update may fail for an unrelated source. The installation shows whether it matters.
  if (!listsAreFresh(context.lists)) {
    const result = await update();
    if (result.canceled) return interrupted();
  }
  const install = async () => {
    context.progress({ type: 'stage', text: `Installing ${packages.join(', ')}` });
    return aptGet(['install', '-y', '--no-install-recommends', ...packages], context);
  };
  let result = await install();
  // Lists fetched earlier today may name files that the mirror has replaced since.
  if (!result.ok && !result.canceled && !updated) {
    const { canceled } = await update();
    result = canceled ? { ...result, canceled } : await install();
  }
  if (result.canceled) return interrupted();
  return result.ok ? success(undefined) : { ok: false, failure: aptFailure(packages, result) };
}

interface AptResult {
  ok: boolean;
  canceled: boolean;
  exitCode: number | undefined;
  output: string;
}

/** Runs apt-get, and repeats it while another process holds one of apt's locks. */
async function aptGet(args: readonly string[], context: AptContext): Promise<AptResult> {
  const giveUp = Date.now() + context.lockWait;
  for (;;) {
    const result = await aptGetOnce(args, context);
    const locked = /Could not get lock|Unable to (?:acquire|lock)/.test(result.output);
    if (result.ok || result.canceled || !locked || Date.now() >= giveUp) return result;
    context.progress({ type: 'detail', text: 'waiting for another installation to finish' });
    await sleep(
      context.lockPause,
      undefined,
      context.signal ? { signal: context.signal } : {},
    ).catch(() => {});
  }
}

async function aptGetOnce(args: readonly string[], context: AptContext): Promise<AptResult> {
  const { privilege, path, progress, signal, lockWait } = context;
  if (signal?.aborted) return { ok: false, canceled: true, exitCode: undefined, output: '' };
  // sudo drops most of the environment, so env sets it after sudo.
  const [program = 'env', ...rest] = [
    ...privilege,
    ...['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C', 'apt-get'],
    ...['-q', '-o', `DPkg::Lock::Timeout=${Math.ceil(lockWait / 1000)}`, ...args],
  ];
  const subprocess = execa(program, rest, {
    env: { PATH: path },
    // sudo finds the terminal by itself. apt asks nothing.
    stdin: 'ignore',
    all: true,
    reject: false,
    cleanup: false,
    maxBuffer: 16 * 1024 * 1024,
  });
  // apt ends the current step on Ctrl-C.
  const stop = () => subprocess.kill('SIGINT');
  signal?.addEventListener('abort', stop, { once: true });
  for await (const line of subprocess.iterable({ from: 'all' })) {
    // dpkg counts up on one line; a terminal would show the last part.
    const text = line.split('\r').at(-1)?.trim();
    if (text) progress({ type: 'detail', text });
  }
  const result = await subprocess;
  signal?.removeEventListener('abort', stop);
  return {
    ok: !result.failed,
    canceled: result.failed && signal?.aborted === true,
    exitCode: result.exitCode,
    output: result.all ?? '',
  };
}

/** Whether there are lists, and they were fetched within a day. */
export function listsAreFresh(directory: string): boolean {
  try {
    const isList = (name: string) => /_Packages(?:\.\w+)?$/.test(name);
    if (!readdirSync(directory).some(isList)) return false;
    return Date.now() - statSync(directory).mtimeMs < DAY;
  } catch {
    return false;
  }
}

function aptFailure(packages: readonly string[], { exitCode, output }: AptResult): Failure {
  const detail = output.trimEnd().split('\n').slice(-15).join('\n');
  const ended = exitCode === undefined ? 'was killed' : `ended with exit code ${exitCode}`;
  return failure(
    'tool-failed',
    `apt-get ${ended} while it installed ${packages.join(', ')}`,
    'Fix the problem reported above, and start again',
    { detail },
  ).failure;
}

function interrupted(): Outcome<void> {
  return failure('interrupted', 'The installation was interrupted', 'Start it again');
}
