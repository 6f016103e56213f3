import { escapeForTerminal } from '../findings/escape.js';
import type { Finding } from '../findings/finding.js';
import type { Guest } from '../guest/guest.js';
import type { GuestEvent, ProofEvent, SymbolsEvent } from '../guest/protocol.js';
import type { UnitSession } from '../launch/launch.js';
import { type Carrier, carryPipes, carryTerminal, type OurTerminal } from './carrier.js';
import { HOW_TO_LEAVE } from './leave.js';
import { terminalType } from './terminfo.js';

/** Our side of a session, from the ready guest to the end of the program. */

/** The streams that a session uses; tests pass their own. */
export interface OurStreams {
  input: OurTerminal['input'];
  output: OurTerminal['output'];
  errors: OurTerminal['output'];
}

export interface SessionOptions {
  /** The command to run without a terminal, instead of an interactive shell. */
  command: string | undefined;
  /** Only open images: mount and check nothing. */
  look: boolean;
  /** The debugger's stub, and whether the guest waits for a debugger first. */
  gdb: (Pick<Required<UnitSession>, 'gdb'> & { wait: boolean }) | undefined;
  streams: OurStreams;
  /** Lines to print when the program starts. */
  banner: (known: Known) => string;
  /** Lines to print while the guest waits for a debugger. */
  waiting: () => string;
  /** Called when the session takes over the terminal. */
  onBegin: () => void;
  /** Ends the guest at once. */
  leave: (reason: string) => void;
}

/** What the guest has reported before the program starts. */
export interface Known {
  proofs: readonly ProofEvent[];
  symbols: SymbolsEvent | undefined;
}

/** No time limit: the longest that timers support, in seconds. */
export const ENDLESS = 14 * 24 * 3600;

/** Seconds of silence before a warning at the prompt. The guest sends a heartbeat every second. */
const SILENT = 15;

/** Milliseconds that the last output may arrive after the end of the program. */
const GRACE = 1000;

export class Session implements UnitSession {
  readonly request: UnitSession['request'];
  readonly limits: UnitSession['limits'];
  readonly gdb: UnitSession['gdb'];
  /** The program's exit code; undefined if it did not end by itself. */
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
    // Somebody may be examining an oops, or have stopped the kernel in a debugger.
    const patient = command === undefined || gdb !== undefined;
    // A guest that a debugger has stopped is silent.
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
    // The monitor of a freshly booted guest still needs the handshake.
    await guest.monitor.execute('qmp_capabilities');
    await guest.monitor.execute('stop');
    this.#say(this.options.waiting());
  }

  async #begin(): Promise<void> {
    // Symbols arrive on another channel, possibly later.
    await this.#symbolsTold;
    this.#running = true;
    this.options.onBegin();
    this.#say(this.options.banner({ proofs: this.#proofs, symbols: this.#symbols }));
  }

  /** Gives our streams back. */
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
      // If the program killed our process in the guest, its port stays silent.
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
          ? 'the guest responds again'
          : `the guest has given no sign of life for ${seconds} s: wait, or ${HOW_TO_LEAVE} ends it`,
      );
    },
  };

  /** Prints to a terminal that may be in raw mode. */
  #say(text: string): void {
    if (text === '') return;
    const lines = text.split('\n').map((line) => `${escapeForTerminal(line)}\r\n`);
    this.options.streams.errors.write(`${this.#running ? '\r' : ''}${lines.join('')}`);
  }
}
