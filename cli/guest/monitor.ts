import type { Duplex } from 'node:stream';

/**
 * QEMU's monitor: commands and answers as JSON, one a line (QEMU Machine Protocol). Commands are
 * answered in their order; events come in between, and QEMU takes no other command before
 * `qmp_capabilities` (`begin`).
 */
export class Monitor {
  readonly #stream: Duplex;
  readonly #waiting: ((answer: MonitorAnswer) => void)[] = [];
  readonly #event: (event: MonitorEvent) => void;
  #begun: Promise<MonitorAnswer> | undefined;
  #rest = '';

  constructor(stream: Duplex, event: (event: MonitorEvent) => void = () => {}) {
    this.#stream = stream;
    this.#event = event;
    stream.on('data', (chunk: Buffer) => this.#take(chunk.toString('utf8')));
    stream.on('error', () => {});
    stream.once('close', () => {
      for (const answer of this.#waiting.splice(0)) answer({ ok: false, error: QEMU_ENDED });
    });
  }

  /** Makes QEMU take commands; for any number of callers. */
  begin(): Promise<MonitorAnswer> {
    this.#begun ??= this.execute('qmp_capabilities');
    return this.#begun;
  }

  execute(command: string, given?: Record<string, unknown>): Promise<MonitorAnswer> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed) {
        resolve({ ok: false, error: QEMU_ENDED });
        return;
      }
      this.#waiting.push(resolve);
      const message = given ? { execute: command, arguments: given } : { execute: command };
      this.#stream.write(`${JSON.stringify(message)}\n`);
    });
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      const message = JSON.parse(line) as {
        return?: unknown;
        error?: { desc: string };
      } & Partial<MonitorEvent>;
      if (message.event !== undefined) this.#event({ event: message.event, data: message.data });
      else if (message.error) this.#waiting.shift()?.({ ok: false, error: message.error.desc });
      else if ('return' in message) this.#waiting.shift()?.({ ok: true, value: message.return });
    }
  }
}

/** QEMU's events; docs/interop/qemu-qmp-ref lists them by name. */
export interface MonitorEvent {
  event: string;
  data: Record<string, unknown> | undefined;
}

export type MonitorCommand = readonly [command: string, given?: Record<string, unknown>];

export type MonitorAnswer = { ok: true; value: unknown } | { ok: false; error: string };

/** The error of commands that QEMU did not answer before it ended. Its own output then says why. */
export const QEMU_ENDED = 'QEMU ended';
