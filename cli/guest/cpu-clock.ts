import { readdirSync, readFileSync } from 'node:fs';
import type { CpuSupply } from '../cpu-supply.js';
import { CpuHistory, type CpuInterval, type GuestClock } from './cpu-history.js';

/**
 * Reads the CPU clocks of QEMU's threads. Linux counts for each thread how long it ran and how long
 * it was runnable without a processor (/proc/PID/task/TID/schedstat, in nanoseconds;
 * Documentation/scheduler/sched-stats.rst). A quota of a control group counts as waiting. Neither
 * clock moves while a thread is stopped: its state tells (proc_pid_stat(5)). A kernel without
 * schedstat counts how long a thread ran, in ticks; the state has to tell the rest.
 */

/** A thread's clocks, in seconds since it began. */
export interface ThreadClock {
  name: string;
  /**
   * From /proc: `R` runs or waits for a processor, `S` sleeps, `D` waits for the host, `T` is
   * stopped.
   */
  state: string;
  ran: number;
  /** Undefined if the kernel does not count it. */
  waited: number | undefined;
  /**
   * Seconds of `waited` that were counted before the kernel counted them: the thread has waited
   * since.
   */
  ahead: number;
}

export type ThreadClocks = Map<string, ThreadClock>;

/** The threads on which a guest's progress depends; QEMU names them (`-name debug-threads=on`). */
const VIRTUAL_CPU = /^(?:CPU \d+|ALL CPUs)\//;

/** The index of utime among the fields of `stat` after the state; stime follows it. */
const UTIME = 10;
/** USER_HZ, on every architecture that runs our guests. */
const TICKS = 100;

/** @returns undefined if nothing can be read: the process is gone, or has no such clocks */
export function readClocks(pid: number, proc = '/proc'): ThreadClocks | undefined {
  const threads: ThreadClocks = new Map();
  try {
    for (const id of readdirSync(`${proc}/${pid}/task`)) {
      const clock = readClock(`${proc}/${pid}/task/${id}`);
      if (clock && (VIRTUAL_CPU.test(clock.name) || id === String(pid))) threads.set(id, clock);
    }
  } catch {
    return undefined;
  }
  return threads.size > 0 ? threads : undefined;
}

function readClock(directory: string): ThreadClock | undefined {
  try {
    // `17 (CPU 0/TCG) S …`: a name may contain parentheses.
    const [, name = '', fields = ''] =
      /\((.*)\) (.*)/s.exec(readFileSync(`${directory}/stat`, 'utf8')) ?? [];
    const [state = '', ...numbers] = fields.split(' ');
    const schedstat = readIfThere(`${directory}/schedstat`)?.split(' ').map(Number);
    const ticks = Number(numbers[UTIME]) + Number(numbers[UTIME + 1]);
    const [ran, waited] = schedstat ?? [(ticks / TICKS) * 1e9];
    if (ran === undefined || Number.isNaN(ran)) return undefined;
    return { name, state, ran: ran / 1e9, waited: waited && waited / 1e9, ahead: 0 };
  } catch {
    // The thread ended in between.
    return undefined;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** If a gap between two readings exceeds the plan by this much, what happened in it is unknown. */
const LONGEST_GAP = 1;

/**
 * What the guest got between two readings `seconds` apart.
 *
 * @param next gets its `ahead` from this
 */
export function supplyBetween(
  before: ThreadClocks | undefined,
  next: ThreadClocks | undefined,
  seconds: number,
): CpuSupply {
  const nothingKnown = { seconds, ran: 0, starved: 0, unseen: seconds };
  if (!before || !next) return nothingKnown;
  let ran = 0;
  let starved = 0;
  let unseen = 0;
  let known = false;
  for (const [id, clock] of next) {
    const earlier = before.get(id);
    if (!earlier) continue;
    known = true;
    const ranNow = Math.max(0, clock.ran - earlier.ran);
    const lacked = lackOf(earlier, clock, seconds);
    const isVirtualCpu = VIRTUAL_CPU.test(clock.name);
    if (isVirtualCpu) ran += ranNow;
    starved = Math.max(starved, lacked);
    // The main thread mostly sleeps. Only the virtual CPUs show whether time passed.
    if (isVirtualCpu && seconds > LONGEST_GAP) {
      unseen = Math.max(unseen, seconds - ranNow - lacked);
    }
  }
  return known ? { seconds, ran, starved, unseen: Math.max(0, unseen) } : nothingKnown;
}

/** Seconds in which a thread wanted to run and could not. Sets the later reading's `ahead`. */
function lackOf(earlier: ThreadClock, later: ThreadClock, seconds: number): number {
  const ran = Math.max(0, later.ran - earlier.ran);
  const waited = Math.max(0, (later.waited ?? 0) - (earlier.waited ?? 0));
  const rest = Math.max(0, seconds - ran - waited);
  const isRunnable = earlier.state === 'R' && later.state === 'R';
  if (later.waited === undefined && isRunnable) return rest;
  // The kernel counts a wait when it ends. A wait that goes on shows in a thread that is runnable
  // at both readings and did not run in between.
  if (isRunnable && ran === 0 && waited === 0) {
    later.ahead = earlier.ahead + seconds;
    return seconds;
  }
  later.ahead = Math.max(0, earlier.ahead - waited);
  const counted = Math.max(0, waited - earlier.ahead);
  return counted + ('TtD'.includes(later.state) ? rest : 0);
}

/** Seconds between two readings. */
const PERIOD = 0.25;

/** Reads a process's clocks until it is stopped. */
export class CpuClock implements GuestClock {
  readonly #history = new CpuHistory();
  readonly #read: () => ThreadClocks | undefined;
  readonly #timer: NodeJS.Timeout;
  #before: ThreadClocks | undefined;
  #at = now();
  #stopped = false;

  constructor(pid: number, read = () => readClocks(pid)) {
    this.#read = read;
    this.#before = read();
    this.#timer = setInterval(() => this.#sample(), PERIOD * 1000);
    this.#timer.unref();
  }

  #sample(): void {
    const at = now();
    const seconds = at - this.#at;
    if (this.#stopped || seconds <= 0) return;
    const clocks = this.#read();
    this.#history.add({ from: this.#at, ...supplyBetween(this.#before, clocks, seconds) });
    this.#before = clocks;
    this.#at = at;
  }

  since(from: number): CpuSupply {
    this.#sample();
    return this.#history.between(from, this.#at);
  }

  between(from: number, to: number): CpuSupply {
    if (to > this.#at) this.#sample();
    return this.#history.between(from, to);
  }

  longestStarved(from: number, to: number): CpuInterval | undefined {
    return this.#history.longestStarved(from, to);
  }

  stop(): void {
    this.#sample();
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}

/** Seconds on the host's monotonic clock. */
export function now(): number {
  return performance.now() / 1000;
}
