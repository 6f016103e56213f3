import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A program on a terminal of its own, made by script(1) of util-linux: what a user sees and types,
 * and the terminal's settings afterwards.
 */
export class Terminal {
  readonly #script: ChildProcess;
  #screen = '';
  /** How much of the screen `see` has examined. */
  #seen = 0;
  readonly #settings: string;
  #isClosed = false;
  readonly exit: Promise<number | null>;

  /** @param directory for two small files */
  constructor(
    argv: readonly string[],
    { directory, cwd, env = {} }: { directory: string; cwd?: string; env?: Record<string, string> },
  ) {
    Terminal.#count += 1;
    this.#settings = join(directory, `terminal-${Terminal.#count}`);
    const words = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    // script(1) sets no size if it has no terminal itself.
    const line = [
      // Ctrl-C is for the program.
      'trap : INT',
      'stty rows 33 cols 101',
      `tty >'${this.#settings}.name'; stty -a >'${this.#settings}.before'`,
      `${words}; status=$?; stty -a >'${this.#settings}.after'; exit $status`,
    ].join('; ');
    this.#script = spawn('script', ['-qfec', line, '/dev/null'], {
      cwd,
      env: { ...process.env, NODE_OPTIONS: '', SHELL: '/bin/sh', TERM: 'xterm', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#script.stdout?.on('data', (chunk: Buffer) => {
      this.#screen += chunk.toString('latin1');
    });
    this.exit = new Promise((resolve) =>
      this.#script.once('close', (code) => {
        this.#isClosed = true;
        resolve(code);
      }),
    );
  }

  static #count = 0;

  /** All output so far. */
  get screen(): string {
    return this.#screen;
  }

  /**
   * Waits for new text that matches, and marks it as seen.
   *
   * @param milliseconds for callers that do something else if it does not appear. A busy machine
   * may take any time, so nothing follows from it
   */
  async see(what: RegExp | string, milliseconds = Infinity): Promise<RegExpExecArray> {
    const pattern = typeof what === 'string' ? new RegExp(literally(what)) : what;
    for (const until = Date.now() + milliseconds; ; ) {
      const isOver = this.#isClosed;
      const found = pattern.exec(this.#screen.slice(this.#seen));
      if (found) {
        this.#seen += found.index + found[0].length;
        return found;
      }
      if (Date.now() > until || isOver) {
        throw new Error(`${pattern} does not come: ${JSON.stringify(this.#screen.slice(-600))}`);
      }
      await sleep(20);
    }
  }

  type(text: string): void {
    this.#script.stdin?.write(text);
  }

  resize(rows: number, columns: number): void {
    const name = readFileSync(`${this.#settings}.name`, 'utf8').trim();
    execFileSync('stty', ['-F', name, 'rows', String(rows), 'cols', String(columns)]);
  }

  /** The terminal before the program, or after it: stty(1)'s output, without the size. */
  settings(when: 'before' | 'after'): string | undefined {
    const file = `${this.#settings}.${when}`;
    if (!existsSync(file)) return undefined;
    return readFileSync(file, 'utf8').replace(/rows \d+; columns \d+;/, '');
  }

  /** The terminal's current settings. */
  now(): string {
    const name = readFileSync(`${this.#settings}.name`, 'utf8').trim();
    return execFileSync('stty', ['-F', name, '-a'], { encoding: 'utf8' });
  }

  close(): void {
    this.#script.kill('SIGKILL');
  }
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
