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
import { Monitor, type MonitorCommand, type MonitorEvent, QEMU_ENDED } from './monitor.js';
import { PacedInput } from './paced-input.js';
import {
  EventReader,
  encodeRequest,
  type FilePiece,
  type GuestEvent,
  type ReadyEvent,
  type UnitRequest,
} from './protocol.js';
import { type ExecutionEnd, INCOMPLETE, Recording } from './recording.js';

export type { Ending } from './ending.js';
export type { GuestLimits } from './life.js';

/**
 * One guest, from its start to its end; life.ts has its states.
 *
 * Preparing a guest (`startGuest`) is separate from running its unit (`run`), so that one
 * preparation can serve many units. However the guest ends, QEMU is dead when `run` or `stop` has
 * returned.
 */

/** Receives the events of a guest's life as they happen. */
export interface GuestObserver {
  console(chunk: Buffer): void;
  event(event: GuestEvent): void;
  /** A part of a file that the guest sends; parts come in order. */
  filePiece(piece: FilePiece): void;
  /** A finding from the kernel's messages on the console. */
  finding(finding: Finding): void;
  /** No heartbeat for this many seconds (`notice`); undefined: it is back. */
  silent?(seconds: number | undefined): void;
  /** QEMU has started; the clock measures its processor time. */
  started?(clock: GuestClock): void;
}

/** The state of a clone, and what the guest had reported before it was saved. */
export interface Resumption {
  /** The file descriptor of the saved state, as QEMU sees it. */
  descriptor: number;
  ready: ReadyEvent;
  /** Commands that plug in the devices once it runs. */
  plug: readonly MonitorCommand[];
}

export interface Guest {
  readonly monitor: Monitor;
  /** The port of a session's terminal; undefined if the machine has none. */
  readonly terminal: Duplex | undefined;
  /** Resolves with the guest's report about itself, or with its ending. */
  readonly ready: Promise<{ ok: true; ready: ReadyEvent } | { ok: false; ending: Ending }>;
  /**
   * Runs the unit; resolves when QEMU is dead.
   *
   * @param contents of the devices that the request names in CONTENTS
   * @param archive of a user's test, where the request has PACK_BYTES
   */
  run(
    request: UnitRequest,
    seconds: number,
    module?: Uint8Array,
    contents?: readonly DeviceContents[],
    archive?: Uint8Array,
  ): Promise<Ending>;
  /**
   * Sends contents to a running guest, which waits in `take_contents`
   * (guest-scripts/lib/filesystem.sh). Resolves when everything is sent, or when the guest has
   * ended.
   */
  sendContents(contents: DeviceContents): Promise<void>;
  /**
   * For a guest with many tests: waits until the console shows this text, which the guest prints
   * after a test. All earlier kernel messages have then been parsed. False if the guest ended
   * first.
   */
  settle(marker: string): Promise<boolean>;
  /** Lets it continue with the next test, with this many seconds for it. */
  goOn(seconds: number, words?: string): void;
  /** The guest waits for us; no limit applies. */
  rest(): void;
  /** Ends it now if it is still alive. */
  stop(): Promise<void>;
  /** How its record ended; undefined if it was not recorded, still runs, or left no complete record. */
  readonly recorded: ExecutionEnd | undefined;
}

/**
 * Limit for the console in bytes: all of it stays on the temporary disk until the guest has ended.
 */
const MOST_CONSOLE = 512 * 2 ** 20;

/** Events that may end the guest. The console is read first, because it may show another ending. */
const MAY_END: ReadonlySet<LifeEvent['type']> = new Set(['finished', 'expired', 'end']);

/** How many bytes of QEMU's own messages are kept. */
const QEMU_MESSAGES = 8192;

export interface GuestOptions {
  signal?: AbortSignal | undefined;
  /** Open descriptors that QEMU finds from `INHERITED_FD` on. */
  inherit?: readonly number[];
  /** Whether the machine has a port for a terminal. */
  terminal?: boolean | undefined;
  /** For a clone: it is ready when it has this state. */
  resumption?: Resumption;
  /** Whether QEMU records the execution. */
  recorded?: boolean;
  /** Reads the processor time of a process. */
  clock?: (pid: number) => GuestClock;
}

/** @param argv QEMU's command line, from `qemuArgv` */
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
  const guest = new RunningGuest(child, limits, observer, clock(child.pid ?? 0), options);
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
  /** QEMU ended while it read a checkpoint's state. */
  #restoreFailed = false;
  #stopListening: () => void = () => {};
  #file: ConsoleFile | undefined;
  /** Why the console may be incomplete. */
  #incomplete: Ending | undefined;
  /** Contents being sent. */
  #sending = Promise.resolve();
  readonly #recording: Recording | undefined;
  readonly #paced = new PacedInput();

  constructor(
    readonly child: ChildProcess,
    readonly limits: GuestLimits,
    readonly observer: GuestObserver,
    readonly clock: GuestClock,
    { recorded = false }: Pick<GuestOptions, 'recorded'>,
  ) {
    this.monitor = new Monitor(this.#stream(MONITOR_FD), (event) => this.#hearMonitor(event));
    this.#recording = recorded ? new Recording(this.monitor) : undefined;
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
      // What QEMU printed before it ended may not have been read yet: see #watchProcess.
      else if (resumed.error === QEMU_ENDED) this.#restoreFailed = true;
      else this.#end({ kind: 'restore-failed', message: resumed.error });
    });
  }

  async run(
    request: UnitRequest,
    seconds: number,
    module?: Uint8Array,
    contents: readonly DeviceContents[] = [],
    archive?: Uint8Array,
  ): Promise<Ending> {
    this.#happen({ type: 'run', seconds });
    const encoded = encodeRequest(request, module);
    const head = encoded.length - (module?.length ?? 0);
    this.#stream(CHANNEL_FD).write(encoded.subarray(0, head));
    // All of it is queued before the caller can send more.
    void this.#queue(() => this.#write(encoded.subarray(head)));
    const sent = contents.map((one) => this.sendContents(one));
    if (archive) sent.push(this.#queue(() => this.#write(archive)));
    await Promise.all(sent);
    const ending = await this.#over;
    await this.#closed;
    return (ending.kind === 'finished' && this.#incomplete) || ending;
  }

  sendContents(contents: DeviceContents): Promise<void> {
    return this.#queue(() => this.#send(contents));
  }

  /** One after the other, whoever calls. */
  #queue(send: () => Promise<void>): Promise<void> {
    this.#sending = this.#sending.then(send);
    return this.#sending;
  }

  async #send(contents: DeviceContents): Promise<void> {
    try {
      for await (const bytes of encodeContents(contents)) {
        if (this.#life.phase === 'over') return;
        await this.#write(bytes);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      this.#end({ kind: 'storage', message: `a device's contents could not be read: ${message}` });
    }
  }

  /** Sends what the guest's reporter reads, no faster than it reads. */
  async #write(bytes: Uint8Array): Promise<void> {
    const stream = this.#stream(CHANNEL_FD);
    const write = async (piece: Uint8Array) => {
      if (this.#life.phase === 'over' || stream.write(piece)) return;
      const drained = new Promise((resolve) => stream.once('drain', resolve));
      await Promise.race([drained, this.#over]);
    };
    if (this.#recording) await this.#paced.send(bytes, write, this.#over);
    else if (bytes.length > 0) await write(bytes);
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

  get recorded(): ExecutionEnd | undefined {
    return this.#recording?.end;
  }

  #hearMonitor({ event, data }: MonitorEvent): void {
    // A recorded machine that powers off or panics waits for its end.
    const shutdown = event === 'SHUTDOWN' && data?.['guest'] === true;
    if (shutdown && this.#recording) void this.#finishRecording(this.#recording);
    // QEMU stops the machine if it cannot write a disk's file. Nothing else would report why.
    if (event !== 'BLOCK_IO_ERROR' || data?.['action'] !== 'stop') return;
    this.#end({ kind: 'storage', message: `a disk's file cannot be written: ${data['reason']}` });
  }

  async #finishRecording(recording: Recording): Promise<void> {
    if (!(await recording.finish(this.#closed))) this.child.kill('SIGKILL');
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
        // An earlier action may have ended the guest: no timer may keep our process alive.
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
        if (this.#recording && action.ending.kind !== 'interrupted') {
          void this.#finishRecording(this.#recording);
        } else this.child.kill('SIGKILL');
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
      // The observer writes to disk, which may fail. Any other error is a bug.
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      this.#end({ kind: 'storage', message });
    }
  }

  /** @returns resolves when QEMU is dead and all its output was read */
  #watchProcess(): Promise<void> {
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.#qemuSaid = (this.#qemuSaid + chunk.toString()).slice(-QEMU_MESSAGES);
    });
    return new Promise((resolve) => {
      this.child.once('error', ({ message }) => {
        this.#end({ kind: 'qemu-died', exitCode: null, signal: null, message });
        resolve();
      });
      // `close` and not `exit`: by then, all output of QEMU was read.
      this.child.once('close', (exitCode, signal) => {
        this.#endConsole();
        const message = this.#qemuSaid.trim();
        if (this.#restoreFailed) {
          this.#end({ kind: 'restore-failed', message: message || QEMU_ENDED });
        }
        this.#happen({ type: 'qemu-ended', exitCode, signal, message });
        const whole = exitCode === 0 && !message.includes(INCOMPLETE);
        void Promise.resolve(this.#recording?.close(whole)).then(resolve);
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

  /** Reads the rest, and reports the findings in its last, unfinished lines. */
  #endConsole(): void {
    const closed = this.#file?.close();
    if (closed && !closed.ok) {
      this.#incomplete = { kind: 'storage', message: closed.failure.message };
    }
    this.#console.end();
  }

  /** @param since when its first line arrived, in seconds of `now` */
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
        this.#recording?.channel.add(chunk);
        for (const received of reader.push(chunk)) {
          // Whatever follows garbage is not trusted.
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
          if (event.event === 'received') {
            this.#paced.received(event.bytes);
            continue;
          }
          this.#observe(() => this.observer.event(event));
          if (event.event === 'ready') this.#becomeReady(event);
          if (event.event === 'step') this.#happen({ type: 'step', name: event.name });
          if (event.event === 'finished') this.#happen({ type: 'finished' });
        }
      })
      .on('error', () => {});
  }
}
