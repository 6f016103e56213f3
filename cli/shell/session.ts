import { escapeForTerminal } from '../findings/escape.js';
import type { Finding } from '../findings/finding.js';
import type { Guest } from '../guest/guest.js';
import type { GuestEvent, ProofEvent, SymbolsEvent } from '../guest/protocol.js';
import type { UnitSession } from '../launch/launch.js';
import { type Carrier, carryPipes, carryTerminal, type OurTerminal } from './carrier.js';
import { HOW_TO_LEAVE } from './leave.js';
import { terminalType } from './terminfo.js';

/** A session from our side: from the guest that is ready to the program that has ended. */

/** What of our process a session uses; a test gives another. */
export interface OurStreams {
  input: OurTerminal['input'];
  output: OurTerminal['output'];
  errors: OurTerminal['output'];
}

export interface SessionOptions {
  /** What to run in place of an interactive shell, without a terminal. */
  command: string | undefined;
  /** The guest is only to look at an image. */
  look: boolean;
  /** With a debugger's stub: whether the guest waits for it before it does anything. */
  gdb: (Pick<Required<UnitSession>, 'gdb'> & { wait: boolean }) | undefined;
  streams: OurStreams;
  /** What people are told when the program begins: lines, or none. */
  banner: (known: Known) => string;
  /** The same of a debugger that the guest waits for. */
  waiting: () => string;
  /** The terminal is the session's from now on. */
  onBegin: () => void;
  /** Ends the guest at once. */
  leave: (reason: string) => void;
}

/** What the guest has told before the program begins. */
export interface Known {
  proofs: readonly ProofEvent[];
  symbols: SymbolsEvent | undefined;
}

/** Seconds without end, as far as timers go: nobody hurries a person. */
export const ENDLESS = 14 * 24 * 3600;

/** Seconds after which a prompt that does not answer is said to be dead; its heart beats each second. */
const SILENT = 15;

/** Milliseconds that what the program wrote last may come later than word of its end. */
const GRACE = 1000;

export class Session implements UnitSession {
  readonly request: UnitSession['request'];
  readonly limits: UnitSession['limits'];
  readonly gdb: UnitSession['gdb'];
  /** Of the program; undefined where it did not come to its end. */
  status: number | undefined;
  readonly #proofs: ProofEvent[] = [];
  #symbols: SymbolsEvent | undefined;
  #told: () => void = () => {};
  readonly #symbolsTold = new Promise<void>((resolve) => {
    this.#told = resolve;
  });
  #carrier: Carrier | undefined;
  #running = false;

  constructor(readonly options: SessionOptions) {
    const { command, look, gdb, streams } = options;
    const { name, entry } = command === undefined ? terminalType() : { name: 'dumb', entry: '' };
    this.request = {
      SESSION: command === undefined ? 'terminal' : 'pipes',
      COMMAND: command === undefined ? undefined : Buffer.from(command).toString('hex'),
      LOOK: look ? 'yes' : undefined,
      GDB: gdb ? 'yes' : undefined,
      TERM: name,
      TERMINFO: entry,
      ROWS: streams.output.rows,
      COLUMNS: streams.output.columns,
    };
    // Whoever looks at a kernel that has oopsed, or is stopped by a debugger, is not to be interrupted.
    const patient = command === undefined || gdb !== undefined;
    // A debugger's guest is silent whenever it is stopped.
    const notice = gdb ? {} : { notice: SILENT };
    this.limits = patient ? { silence: ENDLESS, afterOops: ENDLESS, ...notice } : {};
    this.gdb = gdb?.gdb;
  }

  async begin(guest: Guest): Promise<void> {
    const { command, streams, gdb, leave } = this.options;
    const port = guest.terminal;
    if (!port) throw new Error('a session in a machine without a terminal');
    const options = { begin: () => this.#begin(), leave };
    this.#carrier =
      command === undefined
        ? carryTerminal(port, streams, options)
        : carryPipes(port, streams, options);
    void this.#carrier.ended.then((status) => {
      this.status = status;
      this.close();
    });
    if (!gdb?.wait) return;
    // In one that was booted nobody has said yet that we can do without.
    await guest.monitor.execute('qmp_capabilities');
    await guest.monitor.execute('stop');
    this.#say(this.options.waiting());
  }

  async #begin(): Promise<void> {
    // It is told on another way, and may come later though it was told before.
    await this.#symbolsTold;
    this.#running = true;
    this.options.onBegin();
    this.#say(this.options.banner({ proofs: this.#proofs, symbols: this.#symbols }));
  }

  /** Our streams are ours again. */
  close(): void {
    this.#running = false;
    this.#carrier?.close();
  }

  readonly observer: UnitSession['observer'] = {
    event: (event: GuestEvent) => {
      if (event.event === 'proof') this.#proofs.push(event);
      if (event.event === 'symbols') {
        this.#symbols = event;
        this.#told();
      }
      // A program that killed all others, ours included, is over without a word on its port.
      if (event.event === 'shell') {
        this.status ??= event.status;
        setTimeout(() => this.close(), GRACE).unref();
      }
    },
    finding: ({ severity, message, kind }: Finding) => {
      if (!this.#running || severity === 'notice') return;
      this.#say(`the kernel: ${message}`);
      if (kind === 'panic') this.#say(`the guest is dead: ${HOW_TO_LEAVE} ends it`);
    },
    silent: (seconds: number | undefined) => {
      if (!this.#running) return;
      this.#say(
        seconds === undefined
          ? 'the guest gives signs of life again'
          : `the guest has given no sign of life for ${seconds} s: wait, or ${HOW_TO_LEAVE} ends it`,
      );
    },
  };

  /** On a terminal that may be raw. */
  #say(text: string): void {
    if (text === '') return;
    const lines = text.split('\n').map((line) => `${escapeForTerminal(line)}\r\n`);
    this.options.streams.errors.write(`${this.#running ? '\r' : ''}${lines.join('')}`);
  }
}
