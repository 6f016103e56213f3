import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { ConsoleFile } from '../guest/console-file.js';
import type { GuestObserver } from '../guest/guest.js';
import { CHANNEL_FD, HEARTBEAT_FD, INHERITED_FD, MONITOR_FD } from '../guest/machine.js';
import { resumeFrom } from '../guest/migration.js';
import { Monitor } from '../guest/monitor.js';
import { EventReader } from '../guest/protocol.js';
import { ChannelSum, countInstructions, type ExecutionEnd } from '../guest/recording.js';
import { failure, type Outcome, success } from '../outcome.js';
import { boundArgv } from '../process/child.js';
import { replayArgv } from './argv.js';
import type { KeptExecution } from './read-record.js';

/** Replays one recorded execution. Nothing that we send reaches the guest: its input is the record. */

/** How a replay stopped. */
export type ReplayStop =
  /** At the end of the record. */
  | { kind: 'end' }
  /** At the instruction that `runTo` named. */
  | { kind: 'reached' }
  /** QEMU executed nothing for so many seconds: what the record demands does not happen. */
  | { kind: 'stalled'; seconds: number }
  /** QEMU ended, or could not go on. */
  | { kind: 'died'; message: string }
  | { kind: 'interrupted' };

export interface ReplayOptions {
  signal?: AbortSignal | undefined;
  /** Seconds without an executed instruction. */
  stall?: number;
  /** Milliseconds between two looks at the count. */
  interval?: number;
}

const STALL = 60;
/** Milliseconds. */
const TO_QUIT = 10_000;
const INTERVAL = 500;

/** How many bytes of QEMU's own messages are kept. */
const QEMU_MESSAGES = 4096;

export class Replayer {
  readonly monitor: Monitor;
  /** Instructions at the last look. */
  instructions = 0;
  readonly #child: ChildProcess;
  readonly #console: ConsoleFile;
  readonly #options: ReplayOptions;
  readonly #closed: Promise<void>;
  readonly #channel = new ChannelSum();
  readonly #opened: number[];
  #begun = false;
  #qemuSaid = '';
  #alive = true;
  #stop: (stop: ReplayStop) => void = () => {};
  #stopped: ReplayStop | undefined;

  private constructor(
    argv: readonly [string, ...string[]],
    console: ConsoleFile,
    state: number | undefined,
    observer: Pick<GuestObserver, 'console' | 'event' | 'filePiece'>,
    options: ReplayOptions,
  ) {
    this.#options = options;
    this.#console = console;
    this.#opened = state === undefined ? [] : [state];
    const [program, ...rest] = boundArgv(argv, 'single');
    this.#child = spawn(program, rest, {
      detached: true,
      stdio: [
        ...(['ignore', 'ignore', 'pipe'] as const),
        console.descriptor,
        ...(['pipe', 'pipe', 'pipe'] as const),
        'ignore',
        ...this.#opened,
      ],
    });
    this.monitor = new Monitor(this.#stream(MONITOR_FD), ({ event }) => {
      if (event === 'STOP' || event === 'SHUTDOWN') void this.#look();
    });
    this.#stream(HEARTBEAT_FD)
      .on('error', () => {})
      .resume();
    this.#watch(observer);
    this.#closed = new Promise<void>((resolve) => {
      this.#child.once('error', ({ message }) => {
        this.#qemuSaid ||= message;
        resolve();
      });
      this.#child.once('close', () => resolve());
    }).then(() => {
      this.#alive = false;
      this.#console.close();
      this.#tell({ kind: 'died', message: this.#qemuSaid.trim() || 'QEMU ended' });
    });
    options.signal?.addEventListener('abort', () => this.#tell({ kind: 'interrupted' }), {
      once: true,
    });
  }

  /**
   * Starts QEMU. The guest does not run before `run`.
   *
   * @param state the file of the saved machine; undefined for one that boots
   */
  static start(
    argv: readonly [string, ...string[]],
    state: string | undefined,
    observer: Pick<GuestObserver, 'console' | 'event' | 'filePiece'>,
    options: ReplayOptions = {},
  ): Outcome<Replayer> {
    const console = ConsoleFile.make();
    if (!console.ok) return console;
    const descriptor = state === undefined ? undefined : openSync(state, 'r');
    return success(new Replayer(argv, console.value, descriptor, observer, options));
  }

  /** Runs to the end of the record, or to the instruction with this number. */
  async run(to?: number): Promise<ReplayStop> {
    if (this.#options.signal?.aborted) return { kind: 'interrupted' };
    this.#stopped = undefined;
    const stopped = new Promise<ReplayStop>((resolve) => {
      this.#stop = resolve;
    });
    if (!this.#alive) return { kind: 'died', message: this.#qemuSaid.trim() || 'QEMU ended' };
    const begun = await this.#begin(to);
    if (begun !== undefined) this.#tell({ kind: 'died', message: begun });
    const timer = this.#watchCount();
    const stop = await stopped;
    clearInterval(timer);
    this.#stop = () => {};
    this.#console.read();
    return stop;
  }

  /** The number of executed instructions now. */
  async count(): Promise<number> {
    this.instructions = (await countInstructions(this.monitor)) ?? this.instructions;
    return this.instructions;
  }

  /** Reads what the console shows now. */
  readConsole(): void {
    if (this.#alive) this.#console.read();
  }

  /** @returns why it did not begin */
  async #begin(to: number | undefined): Promise<string | undefined> {
    const ready = await this.monitor.begin();
    if (!ready.ok) return undefined;
    if (to !== undefined) {
      const set = await this.monitor.execute('replay-break', { icount: to });
      if (!set.ok) return set.error;
    }
    const first = !this.#begun && this.#opened.length > 0;
    this.#begun = true;
    const going = first
      ? await resumeFrom(this.monitor, INHERITED_FD, [])
      : await this.monitor.execute('cont');
    return going.ok || !this.#alive ? undefined : going.error;
  }

  #watchCount(): NodeJS.Timeout {
    const { stall = STALL, interval = INTERVAL } = this.#options;
    let since = performance.now();
    let last = -1;
    return setInterval(async () => {
      await this.#look();
      if (this.instructions !== last) {
        last = this.instructions;
        since = performance.now();
      } else if (performance.now() - since > stall * 1000) {
        this.#tell({ kind: 'stalled', seconds: stall });
      }
    }, interval);
  }

  /** Reads the count, and whether the machine has stopped. */
  async #look(): Promise<void> {
    await this.count();
    const answer = await this.monitor.execute('query-status');
    const status = answer.ok ? (answer.value as { status?: string }).status : undefined;
    if (status === 'shutdown') this.#tell({ kind: 'end' });
    // At the instruction that was named, a debugger has none yet.
    else if (status === 'paused' || status === 'debug') this.#tell({ kind: 'reached' });
    else if (status === 'internal-error' || status === 'io-error') {
      this.#tell({ kind: 'died', message: this.#qemuSaid.trim() || status });
    }
  }

  #tell(stop: ReplayStop): void {
    if (this.#stopped) return;
    this.#stopped = stop;
    this.#stop(stop);
  }

  #watch(observer: Pick<GuestObserver, 'console' | 'event' | 'filePiece'>): void {
    this.#console.follow((chunk) => observer.console(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#qemuSaid = (this.#qemuSaid + chunk.toString()).slice(-QEMU_MESSAGES);
    });
    const reader = new EventReader();
    this.#stream(CHANNEL_FD)
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        this.#channel.add(chunk);
        for (const received of reader.push(chunk)) {
          // The sums tell that it differs from the record.
          if (!received.ok) continue;
          if ('piece' in received) observer.filePiece(received.piece);
          else if (received.event.event !== 'received') observer.event(received.event);
        }
      });
  }

  #stream(descriptor: number): Duplex {
    return this.#child.stdio[descriptor] as Duplex;
  }

  /** Resolves when QEMU has ended by itself, for example because a debugger ended it. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Lets QEMU end by itself, so that its plugins can finish. */
  async quit(): Promise<void> {
    void this.monitor.execute('quit');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TO_QUIT);
    });
    await Promise.race([this.#closed, late]);
    clearTimeout(timer);
  }

  /** Ends QEMU. All that the guest sent was read then. */
  async end(): Promise<ExecutionEnd> {
    this.#child.kill('SIGKILL');
    await this.#closed;
    for (const descriptor of this.#opened.splice(0)) closeSync(descriptor);
    return { instructions: this.instructions, channel: this.#channel.sum() };
  }
}

/** Replays to the end of the record, where the guest has stopped, and looks at it. */
export async function endOfReplay<Value>(
  kept: KeptExecution,
  options: ReplayOptions,
  look: (replayer: Replayer) => Promise<Value>,
): Promise<Outcome<Value>> {
  const argv = replayArgv(kept);
  if (!argv.ok) return argv;
  const observer = { console: () => {}, event: () => {}, filePiece: () => {} };
  const started = Replayer.start(argv.value, kept.start.get('state'), observer, options);
  if (!started.ok) return started;
  try {
    const stop = await started.value.run();
    if (stop.kind === 'interrupted') return failure('interrupted', 'Interrupted', 'Start it again');
    if (stop.kind === 'end') return success(await look(started.value));
    return failure(
      'tool-failed',
      `The replay did not get to the end of the record (${stop.kind})`,
      'Check with `daxrepro replay RUN#N --exact` that the record replays',
    );
  } finally {
    await started.value.end();
  }
}
