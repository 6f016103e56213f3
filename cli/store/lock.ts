import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { boundArgv } from '../process/child.js';

/**
 * Locks between processes that the kernel releases when their holder dies: flock(2). Node cannot
 * call it, but util-linux's `flock` can, on a descriptor that it inherits. The lock belongs to the
 * open file, which is ours: it outlives `flock`, until we close the file.
 */

/** Released by `release`, or when the process dies. */
export interface Lock {
  release(): void;
}

/** `shared`: any number of holders, but none with an exclusive lock. */
export type LockMode = 'exclusive' | 'shared';

/**
 * Waits for the lock on `file`, which is created if missing. Errors of the file system are thrown
 * unchanged.
 *
 * @param onWait called once if another process holds the lock
 */
export async function acquireLock(
  file: string,
  { mode = 'exclusive', onWait }: { mode?: LockMode; onWait?: (() => void) | undefined } = {},
): Promise<Lock> {
  let announced = false;
  for (;;) {
    const descriptor = openLockFile(file, mode);
    try {
      if (!(await flock(descriptor, mode, 'at once'))) {
        if (!announced) onWait?.();
        announced = true;
        await flock(descriptor, mode, 'waiting');
      }
      if (isStill(file, descriptor)) return { release: () => closeSync(descriptor) };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    // Its holder removed the file, so a lock on it would exclude nobody.
    closeSync(descriptor);
  }
}

/** The exclusive lock on `file`, or undefined if a process holds either kind of lock. */
export async function tryLock(file: string): Promise<Lock | undefined> {
  const descriptor = openLockFile(file, 'exclusive');
  try {
    if ((await flock(descriptor, 'exclusive', 'at once')) && isStill(file, descriptor)) {
      return { release: () => closeSync(descriptor) };
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return undefined;
}

/** A shared lock needs no write permission: the cache may belong to others. */
function openLockFile(file: string, mode: LockMode): number {
  try {
    return openSync(file, 'a');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (mode === 'shared' && ['EACCES', 'EPERM', 'EROFS'].includes(code))
      return openSync(file, 'r');
    throw error;
  }
}

function isStill(file: string, descriptor: number): boolean {
  const [named, opened] = [statSync(file, { throwIfNoEntry: false }), fstatSync(descriptor)];
  return named?.ino === opened.ino && named.dev === opened.dev;
}

/** @returns false if another process has it and we should not wait */
async function flock(
  descriptor: number,
  mode: LockMode,
  patience: 'at once' | 'waiting',
): Promise<boolean> {
  const argv = ['flock', `--${mode}`, ...(patience === 'at once' ? ['--nonblock'] : []), '3'];
  // A waiting flock must not outlive us. The guard starts two more programs, so a flock that does
  // not wait goes without.
  const [program = '', ...rest] = patience === 'at once' ? argv : boundArgv(argv, 'single');
  const child = spawn(program, rest, {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', descriptor],
  });
  const [exitCode, signal] = await once(child, 'close').catch((error: Error) => {
    // Without its `code`, which would make it look like an error of the file system.
    throw new Error(`flock (of util-linux) does not start: ${error.message}`);
  });
  if (exitCode === 0) return true;
  if (exitCode === 1 && patience === 'at once') return false;
  throw new Error(`flock failed with ${exitCode ?? signal}`);
}
