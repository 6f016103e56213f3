import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import type { Finding } from '../findings/finding.js';
import { KernelLogWatcher } from '../findings/kernel-log.js';
import type { Outcome } from '../outcome.js';
import { boundArgv } from '../process/child.js';
import { ConsoleFile } from './console-file.js';
import { type DeviceContents, encodeContents } from './contents.js';
import { CHANNEL_FD, HEARTBEAT_FD, MONITOR_FD, TERMINAL_FD } from './machine.js';
import { resumeFrom } from './migration.js';
import { Monitor, type MonitorCommand } from './monitor.js';
import {
  EventReader,
  encodeRequest,
  type FilePiece,
  type GuestEvent,
  type ReadyEvent,
  type UnitRequest,
} from './protocol.js';

/**
 * One guest, from its start to its end:
 *
 *     starting ──ready──▶ ready ──run()──▶ running ──finished──▶ over
 *         │                 │                 │
 *         └─────────────────┴─────────────────┴──▶ over, with the ending that says why
 *
 * A guest is prepared (`startGuest`) apart from the unit it runs (`run`): the first can be done
 * once for many. However it ends, QEMU is dead when `run` or `stop` has returned.
 */

/** How a guest ended. `finished` is the only one after which the unit is known to be complete. */
export type Ending =
  | { kind: 'finished' }
  /** A checkpoint's state was not taken. */
  | { kind: 'restore-failed'; message: string }
  /** Not ready in time; nothing on the console says why. */
  | { kind: 'boot-timeout'; seconds: number }
  | { kind: 'panic'; message: string }
  /** No heartbeat for so long: neither user space nor, probably, the kernel runs. */
  | { kind: 'hang'; seconds: number; step: string }
  /** The guest lives, but the unit did not end in its time. */
  | { kind: 'unit-timeout'; seconds: number; step: string }
  /** The guest switched itself off before it had finished. */
  | { kind: 'guest-shutdown'; step: string }
  /** QEMU ended by a signal or an error of its own. */
  | { kind: 'qemu-died'; exitCode: number | null; signal: string | null; message: string }
  | { kind: 'protocol-violation'; problem: string }
  /** A write of ours failed: the disk that holds the run's files is full. */
  | { kind: 'storage'; message: string }
  | { kind: 'interrupted' };

export interface GuestLimits {
  /** Seconds from QEMU's start to `ready`. */
  boot: number;
  /** Seconds without a heartbeat, once there was one. */
  silence: number;
  /** Seconds without one after which the observer is told, long before that is the end of it. */
  notice?: number;
  /** Seconds a guest still gets after its kernel oopsed: what follows is rarely worth more. */
  afterOops: number;
}

/** What a guest's life is told to, as it happens. */
export interface GuestObserver {
  console(chunk: Buffer): void;
  event(event: GuestEvent): void;
  /** Some of the bytes of a file that the guest sends, in their order. */
  filePiece(piece: FilePiece): void;
  /** Something that the kernel said on the console. */
  finding(finding: Finding): void;
  /** No heartbeat for these seconds (`notice`); undefined: there is one again. */
  silent?(seconds: number | undefined): void;
}

/** Where a clone takes its state from, and what the guest had said before it was saved. */
export interface Resumption {
  /** The number under which QEMU finds the state's file open. */
  descriptor: number;
  ready: ReadyEvent;
  /** Commands that give it its devices once it runs. */
  plug: readonly MonitorCommand[];
}

export interface Guest {
  readonly monitor: Monitor;
  /** The port of a session's terminal; undefined where the machine has none. */
  readonly terminal: Duplex | undefined;
  /** Resolves with what the guest says of itself, or with how it ended instead. */
  readonly ready: Promise<{ ok: true; ready: ReadyEvent } | { ok: false; ending: Ending }>;
  /**
   * Runs the one unit; resolves when QEMU is dead.
   *
   * @param contents of the devices that the request names in CONTENTS
   */
  run(
    request: UnitRequest,
    seconds: number,
    module?: Uint8Array,
    contents?: readonly DeviceContents[],
  ): Promise<Ending>;
  /**
   * For a guest that takes more while it runs: what its `take_contents` waits for
   * (guest-scripts/lib/filesystem.sh). Resolves when all of it has been sent, or when the guest is over.
   */
  sendContents(contents: DeviceContents): Promise<void>;
  /**
   * For a guest that runs many: waits until the console has shown this text, which the guest prints
   * when one is over. What the kernel said before it has then been found. False where the guest
   * ended before.
   */
  settle(marker: string): Promise<boolean>;
  /** Lets it go on with the next, for which it has so many seconds. */
  goOn(seconds: number, words?: string): void;
  /** It waits for us, and no time runs. */
  rest(): void;
  /** Ends it now, if it still lives. */
  stop(): Promise<void>;
}

/** Bytes of the console in which a marker may still be found after it came. */
const LONGEST_MARKER = 4096;

/** Bytes of the console, all of which wait on the disk of temporary files until the guest is over. */
const MOST_CONSOLE = 512 * 2 ** 20;

/** Bytes of QEMU's own messages that are kept. */
const QEMU_MESSAGES = 8192;

export interface GuestOptions {
  signal?: AbortSignal | undefined;
  /** Open descriptors that QEMU finds from `INHERITED_FD` on. */
  inherit?: readonly number[];
  /** Whether the machine has a port for a terminal. */
  terminal?: boolean | undefined;
  /** For a clone: it is ready when it has its state. */
  resumption?: Resumption;
}

/** @param argv QEMU's, by `qemuArgv` */
export function startGuest(
  argv: readonly [string, ...string[]],
  limits: GuestLimits,
  observer: GuestObserver,
  { signal, inherit = [], resumption, terminal = false }: GuestOptions = {},
): Guest {
  const [program, ...rest] = boundArgv(argv, 'single');
  const console = ConsoleFile.make();
  const child = spawn(program, rest, {
    detached: true,
    stdio: [
      ...(['ignore', 'ignore', 'pipe'] as const),
      console.ok ? console.value.descriptor : 'ignore',
      ...(['pipe', 'pipe', 'pipe'] as const),
      terminal ? 'pipe' : 'ignore',
      ...inherit,
    ],
  });
  return new RunningGuest(child, console, limits, observer, signal, resumption);
}

class RunningGuest implements Guest {
  readonly monitor: Monitor;
  readonly terminal: Duplex | undefined;
  readonly ready: Guest['ready'];
  readonly #closed: Promise<void>;
  readonly #over: Promise<Ending>;
  #end: (ending: Ending) => void = () => {};
  #ended = false;
  #step = 'boot';
  #panic: string | undefined;
  #qemuSaid = '';
  readonly #timers = new Set<NodeJS.Timeout>();
  #unit: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #notice: NodeJS.Timeout | undefined;
  #afterOops: NodeJS.Timeout | undefined;
  /** Contents that are on their way. */
  #sending = Promise.resolve();
  /** Why the console may lack something. */
  #incomplete: Ending | undefined;
  /** Reads what the console has by now. */
  #readConsole: () => void = () => {};
  /** Reads its rest, and finds what its last, unfinished lines say. */
  #endConsole: () => void = () => {};
  /** Finds what its whole lines say, and counts from new. */
  #settleConsole: () => void = () => {};
  /** What the console has to show, and who waits for it. */
  #markers: { text: string; seen: () => void }[] = [];
  /** The end of the console, long enough for a marker that comes in pieces. */
  #consoleEnd = '';

  constructor(
    readonly child: ChildProcess,
    console: Outcome<ConsoleFile>,
    readonly limits: GuestLimits,
    readonly observer: GuestObserver,
    signal: AbortSignal | undefined,
    resumption: Resumption | undefined,
  ) {
    this.monitor = new Monitor(this.#stream(MONITOR_FD), ({ event, data }) => {
      // QEMU stops the machine where it cannot write a disk's file. Nothing would ever say why.
      if (event !== 'BLOCK_IO_ERROR' || data?.['action'] !== 'stop') return;
      this.#end({ kind: 'storage', message: `a disk's file cannot be written: ${data['reason']}` });
    });
    this.terminal = (child.stdio as readonly unknown[])[TERMINAL_FD] as Duplex | undefined;
    this.terminal?.on('error', () => {});
    this.#over = new Promise((resolve) => {
      this.#end = (ending) => {
        // What the console has by now may say more, and end it otherwise.
        if (!this.#ended) this.#readConsole();
        if (this.#ended) return;
        this.#ended = true;
        for (const timer of this.#timers) clearTimeout(timer);
        clearTimeout(this.#silence);
        clearTimeout(this.#notice);
        signal?.removeEventListener('abort', interrupt);
        child.kill('SIGKILL');
        resolve(this.#unlessPanic(ending));
      };
    });
    const interrupt = () => this.#end({ kind: 'interrupted' });
    if (signal?.aborted) interrupt();
    signal?.addEventListener('abort', interrupt, { once: true });

    this.#closed = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#end({ kind: 'qemu-died', exitCode: null, signal: null, message: error.message });
        resolve();
      });
      // `close` and not `exit`: what QEMU wrote before it died has then been read.
      child.once('close', (exitCode, by) => {
        this.#endConsole();
        this.#end(this.#howQemuEnded(exitCode, by));
        resolve();
      });
    });

    const boot = this.#after(limits.boot, () =>
      this.#end({ kind: 'boot-timeout', seconds: limits.boot }),
    );
    let becomeReady: (ready: ReadyEvent) => void;
    const readiness = new Promise<ReadyEvent>((resolve) => {
      becomeReady = (ready) => {
        this.#cancel(boot);
        resolve(ready);
      };
    });
    this.ready = Promise.race([
      readiness.then((ready) => ({ ok: true as const, ready })),
      this.#over.then((ending) => ({ ok: false as const, ending })),
    ]);

    if (console.ok) this.#watchConsole(console.value);
    else this.#end({ kind: 'storage', message: console.failure.message });
    this.#watchChannel((ready) => becomeReady(ready));
    if (resumption) {
      const { descriptor, plug } = resumption;
      void resumeFrom(this.monitor, descriptor, plug).then((resumed) => {
        if (resumed.ok) becomeReady(resumption.ready);
        else this.#end({ kind: 'restore-failed', message: resumed.error });
      });
    }
    this.#watchHeartbeat();
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#qemuSaid = (this.#qemuSaid + chunk.toString()).slice(-QEMU_MESSAGES);
    });
  }

  async run(
    request: UnitRequest,
    seconds: number,
    module?: Uint8Array,
    contents: readonly DeviceContents[] = [],
  ): Promise<Ending> {
    this.#limit(seconds);
    this.#stream(CHANNEL_FD).write(encodeRequest(request, module));
    await Promise.all(contents.map((one) => this.sendContents(one)));
    const ending = await this.#over;
    await this.#closed;
    return (ending.kind === 'finished' && this.#incomplete) || ending;
  }

  sendContents(contents: DeviceContents): Promise<void> {
    // One after the other, whoever asks.
    this.#sending = this.#sending.then(() => this.#send(contents));
    return this.#sending;
  }

  async #send(contents: DeviceContents): Promise<void> {
    const stream = this.#stream(CHANNEL_FD);
    try {
      for await (const bytes of encodeContents(contents)) {
        if (this.#ended) return;
        // No faster than the guest takes it.
        if (stream.write(bytes)) continue;
        const drained = new Promise((resolve) => stream.once('drain', resolve));
        await Promise.race([drained, this.#over]);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      this.#end({ kind: 'storage', message: `a device's contents could not be read: ${message}` });
    }
  }

  #limit(seconds: number): void {
    this.#cancel(this.#unit);
    this.#unit = this.#after(seconds, () =>
      this.#end({ kind: 'unit-timeout', seconds, step: this.#step }),
    );
  }

  async settle(text: string): Promise<boolean> {
    this.#readConsole();
    const shown = new Promise<boolean>((resolve) => {
      const seen = () => resolve(true);
      if (this.#consoleEnd.includes(text)) seen();
      else this.#markers.push({ text, seen });
    });
    const settled = await Promise.race([shown, this.#over.then(() => false)]);
    if (settled) this.#settleConsole();
    return settled;
  }

  goOn(seconds: number, words = 'go\n'): void {
    this.#limit(seconds);
    this.#stream(CHANNEL_FD).write(words);
  }

  rest(): void {
    this.#cancel(this.#unit);
  }

  async stop(): Promise<void> {
    this.#end({ kind: 'interrupted' });
    await this.#closed;
  }

  #stream(descriptor: number): Duplex {
    return this.child.stdio[descriptor] as Duplex;
  }

  #after(seconds: number, action: () => void): NodeJS.Timeout | undefined {
    // What comes after the end must not keep our process waiting.
    if (this.#ended) return undefined;
    const timer = setTimeout(action, seconds * 1000);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: NodeJS.Timeout | undefined): void {
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(timer);
  }

  #observe(action: () => void): void {
    try {
      action();
    } catch (error) {
      // The observer writes to disk; that this can fail is expected, all else is a bug.
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      this.#end({ kind: 'storage', message });
    }
  }

  #watchConsole(file: ConsoleFile): void {
    const watcher = new KernelLogWatcher();
    const tell = (finding: Finding) => {
      this.#observe(() => this.observer.finding(finding));
      if (finding.kind === 'panic') this.#panic = finding.message;
      else if (finding.kind === 'oops' && !this.#afterOops) {
        const { afterOops: seconds } = this.limits;
        this.#afterOops = this.#after(seconds, () =>
          this.#end({ kind: 'hang', seconds, step: this.#step }),
        );
      }
    };
    file.follow((chunk) => {
      this.#observe(() => this.observer.console(chunk));
      for (const finding of watcher.push(chunk)) tell(finding);
      this.#lookForMarkers(chunk);
      if (file.length > MOST_CONSOLE) {
        const problem = `over ${MOST_CONSOLE / 2 ** 20} MiB on its console`;
        this.#end({ kind: 'protocol-violation', problem });
      }
    });
    this.#readConsole = () => file.read();
    this.#endConsole = () => {
      const closed = file.close();
      if (!closed.ok) this.#incomplete = { kind: 'storage', message: closed.failure.message };
      for (const finding of watcher.end()) tell(finding);
    };
    this.#settleConsole = () => {
      for (const finding of watcher.settle()) tell(finding);
    };
  }

  #lookForMarkers(chunk: Buffer): void {
    const text = this.#consoleEnd + chunk.toString('latin1');
    this.#markers = this.#markers.filter((marker) => {
      if (!text.includes(marker.text)) return true;
      marker.seen();
      return false;
    });
    this.#consoleEnd = text.slice(-LONGEST_MARKER);
  }

  #watchChannel(ready: (event: ReadyEvent) => void): void {
    const reader = new EventReader();
    this.#stream(CHANNEL_FD)
      .on('data', (chunk: Buffer) => {
        for (const received of reader.push(chunk)) {
          // What stands behind garbage is no better than it.
          if (this.#ended) return;
          if (!received.ok) {
            this.#end({ kind: 'protocol-violation', problem: received.problem });
            return;
          }
          if ('piece' in received) {
            this.#observe(() => this.observer.filePiece(received.piece));
            continue;
          }
          const { event } = received;
          this.#observe(() => this.observer.event(event));
          if (event.event === 'ready') ready(event);
          if (event.event === 'step') this.#step = event.name;
          if (event.event === 'finished') this.#end({ kind: 'finished' });
        }
      })
      .on('error', () => {});
  }

  #watchHeartbeat(): void {
    const { silence: seconds, notice } = this.limits;
    let noticed = false;
    const tell = (silent: number | undefined) => {
      noticed = silent !== undefined;
      this.#observe(() => this.observer.silent?.(silent));
    };
    this.#stream(HEARTBEAT_FD)
      .on('data', () => {
        clearTimeout(this.#silence);
        clearTimeout(this.#notice);
        if (this.#ended) return;
        if (noticed) tell(undefined);
        if (notice !== undefined) this.#notice = setTimeout(() => tell(notice), notice * 1000);
        this.#silence = setTimeout(() => {
          this.#end({ kind: 'hang', seconds, step: this.#step });
        }, seconds * 1000);
      })
      .on('error', () => {});
  }

  /** A machine that stays on after its kernel's panic has panicked, whatever made us end it. */
  #unlessPanic(ending: Ending): Ending {
    const silent = ['hang', 'boot-timeout', 'unit-timeout'].includes(ending.kind);
    return silent && this.#panic !== undefined ? { kind: 'panic', message: this.#panic } : ending;
  }

  #howQemuEnded(exitCode: number | null, signal: string | null): Ending {
    if (this.#panic !== undefined) return { kind: 'panic', message: this.#panic };
    const message = this.#qemuSaid.trim();
    // QEMU exits with 0 where a signal asks it to, and names the signal.
    const asked = /^[^\n]*: terminating on signal (\d+)/m.exec(message);
    if (asked) {
      const name = Object.entries(constants.signals).find(([, code]) => code === Number(asked[1]));
      return { kind: 'qemu-died', exitCode, signal: name?.[0] ?? `signal ${asked[1]}`, message };
    }
    if (exitCode === 0) return { kind: 'guest-shutdown', step: this.#step };
    return { kind: 'qemu-died', exitCode, signal, message };
  }
}
