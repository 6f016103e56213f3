import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const loader = fileURLToPath(new URL('../loader/register.js', import.meta.url));

/**
 * Another process that uses a store: `other-main.ts`. It follows its orders, reports each step on
 * one line, and stays until it is killed.
 */
export interface Other {
  child: ChildProcess;
  /** The next line of its output. */
  line(): Promise<string>;
  /** Ends what it is making. */
  goOn(): void;
  kill(): Promise<void>;
}

export function startOther(t: Test, ...orders: string[]): Other {
  const main = fileURLToPath(new URL('other-main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', loader, main, ...orders], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const lines: string[] = [];
  let rest = '';
  let wake = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await closed;
  };
  t.teardown(kill);
  return {
    child,
    goOn: () => void child.stdin.write('go\n'),
    kill,
    async line() {
      while (lines.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return lines.shift() ?? '';
    },
  };
}
