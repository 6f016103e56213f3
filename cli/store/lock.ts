import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { boundArgv } from '../process/child.js';

/**
 * Locks between processes that the kernel gives back when their holder dies, whatever killed it:
 * flock(2). Node cannot call it; util-linux' `flock` can, on a descriptor that it inherits. The
 * lock belongs to the open file, which is ours: it stays when `flock` ends, until we close it.
 */

/** `release` it, or die. */
export interface Lock {
  release(): void;
}

/** `shared`: any number of holders, but none with an exclusive lock. */
export type LockMode = 'exclusive' | 'shared';

/**
 * Waits for the lock on `file` (made where missing). Errors of the file system are thrown as they
 * come.
 *
 * @param onWait called once, where somebody else holds the lock just now
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
    // Its holder removed the file: a lock on it would keep nobody out.
    closeSync(descriptor);
  }
}

/** The exclusive lock on `file`, or undefined where somebody holds one of either mode. */
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

/** A shared lock needs no right to write: others may have made a cache that we only read. */
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

/** @returns false where somebody else has it, and we are not to wait */
async function flock(
  descriptor: number,
  mode: LockMode,
  patience: 'at once' | 'waiting',
): Promise<boolean> {
  const argv = ['flock', `--${mode}`, ...(patience === 'at once' ? ['--nonblock'] : []), '3'];
  // One that may wait for long must not outlive us; the guard costs two more programs to start.
  const [program = '', ...rest] = patience === 'at once' ? argv : boundArgv(argv, 'single');
  const child = spawn(program, rest, {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', descriptor],
  });
  const [exitCode, signal] = await once(child, 'close').catch((error: Error) => {
    // Without its `code`, which would make it an error of the file system.
    throw new Error(`flock (of util-linux) does not start: ${error.message}`);
  });
  if (exitCode === 0) return true;
  if (exitCode === 1 && patience === 'at once') return false;
  throw new Error(`flock failed with ${exitCode ?? signal}`);
}
