import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { boundArgv } from '../process/child.js';

/**
 * Locks between processes that the kernel gives back when their holder dies, whatever killed it:
 * flock(2), through util-linux' `flock`, held by a child that lives as long as its standard input
 * (ours) is open.
 */

/** An exclusive lock; `release` it, or die. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Waits for the lock on `file` (made where missing).
 *
 * @param onWait called once, where somebody else holds the lock just now
 */
export async function acquireLock(file: string, onWait?: () => void): Promise<Lock> {
  const script = `flock --nonblock 9 || { echo waiting; flock 9; }; echo held; exec cat`;
  const [program, ...rest] = boundArgv(['sh', '-c', `exec 9>>"$0"; ${script}`, file], 'single');
  const child = spawn(program, rest, { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!said.includes('waiting') && text.includes('waiting')) onWait?.();
      said += text;
      if (said.includes('held')) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`the lock on ${file} could not be taken`)));
  });
  return {
    async release() {
      child.stdin.end();
      await closed;
    },
  };
}
