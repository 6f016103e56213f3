import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { roundedSupply } from '../cpu-supply.js';
import type { Finding } from '../findings/finding.js';
import { stallOf } from '../findings/stall.js';
import type { Outcome } from '../outcome.js';
import { boundArgv } from '../process/child.js';
import { ConsoleFile } from './console-file.js';
import { ConsoleWatch } from './console-watch.js';
import { type DeviceContents, encodeContents } from './contents.js';
import { CpuClock, now } from './cpu-clock.js';
import type { GuestClock } from './cpu-history.js';
import type { Ending } from './ending.js';
import {
  born,
  type GuestLimits,
  type Life,
  type LifeAction,
  type LifeEvent,
  type Transition,
  transition,
} from './life.js';
import { LimitTimers } from './limit-timers.js';
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

export type { Ending } from './ending.js';
export type { GuestLimits } from './life.js';

/**
 * One guest, from its start to its end; life.ts has its states.
 *
 * A guest is prepared (`startGuest`) apart from the unit it runs (`run`): the first can be done
 * once for many. However it ends, QEMU is dead when `run` or `stop` has returned.
 */

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
  /** QEMU has started: this tells what processor time it gets. */
  started?(clock: GuestClock): void;
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

/** Bytes of the console, all of which wait on the disk of temporary files until the guest is over. */
const MOST_CONSOLE = 512 * 2 ** 20;

/** Events that may end the guest: what the console has by then may say more, and end it otherwise. */
const MAY_END: ReadonlySet<LifeEvent['type']> = new Set(['finished', 'expired', 'end']);

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
  /** Where the processor time of a process is read. */
  clock?: (pid: number) => GuestClock;
}

/** @param argv QEMU's, by `qemuArgv` */
export function startGuest(
  argv: readonly [string, ...string[]],
  limits: GuestLimits,
  observer: GuestObserver,
  options: GuestOptions = {},
): Guest {
  const { signal, inherit = [], terminal = false } = options;
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
  const { clock = (pid) => new CpuClock(pid) } = options;
  const guest = new RunningGuest(child, limits, observer, clock(child.pid ?? 0));
  guest.begin(console, signal, options.resumption);
  return guest;
}

class RunningGuest implements Guest {
  readonly monitor: Monitor;
  readonly terminal: Duplex | undefined;
  readonly ready: Guest['ready'];
  readonly #closed: Promise<void>;
  readonly #over: Promise<Ending>;
  readonly #timers: LimitTimers;
  readonly #console: ConsoleWatch;
  #life: Life;
  #tellOver: (ending: Ending) => void = () => {};
  #tellReady: () => void = () => {};
  #said: ReadyEvent | undefined;
  #qemuSaid = '';
  #stopListening: () => void = () => {};
  #file: ConsoleFile | undefined;
  /** Why the console may lack something. */
  #incomplete: Ending | undefined;
  /** Contents that are on their way. */
  #sending = Promise.resolve();

  constructor(
    readonly child: ChildProcess,
    readonly limits: GuestLimits,
    readonly observer: GuestObserver,
    readonly clock: GuestClock,
  ) {
    this.monitor = new Monitor(this.#stream(MONITOR_FD), ({ event, data }) => {
      // QEMU stops the machine where it cannot write a disk's file. Nothing would ever say why.
      if (event !== 'BLOCK_IO_ERROR' || data?.['action'] !== 'stop') return;
      this.#end({ kind: 'storage', message: `a disk's file cannot be written: ${data['reason']}` });
    });
    this.terminal = (child.stdio as readonly unknown[])[TERMINAL_FD] as Duplex | undefined;
    this.terminal?.on('error', () => {});
    this.#timers = new LimitTimers(clock, (expired) => this.#happen(expired));
    this.#console = new ConsoleWatch((finding, since) => this.#find(finding, since), now);
    this.#over = new Promise((resolve) => {
      this.#tellOver = resolve;
    });
    const isReady = new Promise<void>((resolve) => {
      this.#tellReady = resolve;
    });
    this.ready = Promise.race([
      isReady.then(() => ({ ok: true as const, ready: this.#said as ReadyEvent })),
      this.#over.then((ending) => ({ ok: false as const, ending })),
    ]);
    this.#closed = this.#watchProcess();
    const { state, actions } = born(limits);
    this.#life = state;
    for (const action of actions) this.#do(action);
  }

  begin(
    console: Outcome<ConsoleFile>,
    signal: AbortSignal | undefined,
    resumption: Resumption | undefined,
  ): void {
    const interrupt = () => this.#end({ kind: 'interrupted' });
    this.#stopListening = () => signal?.removeEventListener('abort', interrupt);
    if (signal?.aborted) interrupt();
    else signal?.addEventListener('abort', interrupt, { once: true });
    this.#observe(() => this.observer.started?.(this.clock));
    if (console.ok) this.#watchConsole(console.value);
    else this.#end({ kind: 'storage', message: console.failure.message });
    this.#watchChannel();
    this.#stream(HEARTBEAT_FD)
      .on('data', () => this.#happen({ type: 'heartbeat' }))
      .on('error', () => {});
    if (!resumption) return;
    const { descriptor, plug } = resumption;
    void resumeFrom(this.monitor, descriptor, plug).then((resumed) => {
      if (resumed.ok) this.#becomeReady(resumption.ready);
      else this.#end({ kind: 'restore-failed', message: resumed.error });
    });
  }

  async run(
    request: UnitRequest,
    seconds: number,
    module?: Uint8Array,
    contents: readonly DeviceContents[] = [],
  ): Promise<Ending> {
    this.#happen({ type: 'run', seconds });
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
        if (this.#life.phase === 'over') return;
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

  async settle(text: string): Promise<boolean> {
    this.#file?.read();
    const settled = await Promise.race([
      this.#console.shows(text).then(() => true),
      this.#over.then(() => false),
    ]);
    if (settled) this.#console.settle();
    return settled;
  }

  goOn(seconds: number, words = 'go\n'): void {
    this.#happen({ type: 'run', seconds });
    this.#stream(CHANNEL_FD).write(words);
  }

  rest(): void {
    this.#happen({ type: 'rest' });
  }

  async stop(): Promise<void> {
    this.#end({ kind: 'interrupted' });
    await this.#closed;
  }

  #stream(descriptor: number): Duplex {
    return this.child.stdio[descriptor] as Duplex;
  }

  #happen(event: LifeEvent): void {
    if (MAY_END.has(event.type) && this.#life.phase !== 'over') this.#file?.read();
    this.#enter(transition(this.#life, event, this.limits));
  }

  #enter({ state, actions }: Transition): void {
    this.#life = state;
    for (const action of actions) this.#do(action);
  }

  #do(action: LifeAction): void {
    switch (action.do) {
      case 'start-timer':
        // An action before this one may have ended the guest: no timer may keep our process waiting.
        if (this.#life.phase !== 'over') this.#timers.start(action.timer, action.seconds);
        break;
      case 'stop-timer':
        this.#timers.stop(action.timer);
        break;
      case 'tell-ready':
        this.#tellReady();
        break;
      case 'tell-silence':
        this.#observe(() => this.observer.silent?.(action.seconds));
        break;
      case 'bury':
        this.#timers.stopAll();
        this.clock.stop();
        this.#stopListening();
        this.child.kill('SIGKILL');
        this.#tellOver(action.ending);
    }
  }

  #end(ending: Ending): void {
    this.#happen({ type: 'end', ending });
  }

  #becomeReady(ready: ReadyEvent): void {
    this.#said ??= ready;
    this.#happen({ type: 'ready' });
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

  /** @returns resolves when QEMU is dead and all that it wrote was read */
  #watchProcess(): Promise<void> {
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.#qemuSaid = (this.#qemuSaid + chunk.toString()).slice(-QEMU_MESSAGES);
    });
    return new Promise((resolve) => {
      this.child.once('error', ({ message }) => {
        this.#end({ kind: 'qemu-died', exitCode: null, signal: null, message });
        resolve();
      });
      // `close` and not `exit`: what QEMU wrote before it died has then been read.
      this.child.once('close', (exitCode, signal) => {
        this.#endConsole();
        this.#happen({ type: 'qemu-ended', exitCode, signal, message: this.#qemuSaid.trim() });
        resolve();
      });
    });
  }

  #watchConsole(file: ConsoleFile): void {
    this.#file = file;
    file.follow((chunk) => {
      this.#observe(() => this.observer.console(chunk));
      this.#console.push(chunk);
      if (file.length > MOST_CONSOLE) {
        const problem = `over ${MOST_CONSOLE / 2 ** 20} MiB on its console`;
        this.#end({ kind: 'protocol-violation', problem });
      }
    });
  }

  /** Reads its rest, and finds what its last, unfinished lines say. */
  #endConsole(): void {
    const closed = this.#file?.close();
    if (closed && !closed.ok) {
      this.#incomplete = { kind: 'storage', message: closed.failure.message };
    }
    this.#console.end();
  }

  /** @param since when its first line came, in seconds of `now` */
  #find(finding: Finding, since: number): void {
    const stall = stallOf(finding);
    const cpu = stall && roundedSupply(this.clock.between(since - stall.seconds, since));
    this.#observe(() => this.observer.finding(cpu ? { ...finding, cpu } : finding));
    if (finding.kind === 'panic') this.#happen({ type: 'panic', message: finding.message });
    else if (finding.kind === 'oops') this.#happen({ type: 'oops' });
  }

  #watchChannel(): void {
    const reader = new EventReader();
    this.#stream(CHANNEL_FD)
      .on('data', (chunk: Buffer) => {
        for (const received of reader.push(chunk)) {
          // What stands behind garbage is no better than it.
          if (this.#life.phase === 'over') return;
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
          if (event.event === 'ready') this.#becomeReady(event);
          if (event.event === 'step') this.#happen({ type: 'step', name: event.name });
          if (event.event === 'finished') this.#happen({ type: 'finished' });
        }
      })
      .on('error', () => {});
  }
}
