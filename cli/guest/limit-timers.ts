import { availableTime, type CpuSupply, type Shortage } from '../cpu-supply.js';
import { now } from './cpu-clock.js';
import type { GuestClock } from './cpu-history.js';
import type { LifeEvent, TimerName } from './life.js';

/**
 * Limits in the guest's own time. If a starved guest reaches a limit, that proves nothing, so the
 * limit is extended by the time that the host did not give, up to a maximum.
 */

/** A limit ends after this multiple of its seconds, whatever the guest got. */
export const MOST_PATIENCE = 5;

/** The share of a limit that the guest must have had for the limit to count as reached. */
const ENOUGH = 0.98;

export type Patience =
  /** Wait this many more seconds. */
  | { wait: number }
  /** The limit is reached; with a shortage if waiting ended before the guest had its time. */
  | { shortage: Shortage | undefined };

/** Decides about a limit whose time has passed. `supply` is what the guest got since it was set. */
export function patience(limit: number, supply: CpuSupply): Patience {
  const available = availableTime(supply);
  const proven = Math.max(0, available - supply.unseen);
  if (proven >= ENOUGH * limit) return { shortage: undefined };
  if (supply.seconds >= MOST_PATIENCE * limit) return { shortage: { ...supply, available } };
  return { wait: Math.min(limit - proven, MOST_PATIENCE * limit - supply.seconds) };
}

/** Limits that only inform people use the host's time. */
const IN_HOST_TIME: ReadonlySet<TimerName> = new Set(['notice']);

type Expired = Extract<LifeEvent, { type: 'expired' }>;

/** The timers of one guest's life. */
export class LimitTimers {
  readonly #running = new Map<TimerName, NodeJS.Timeout>();
  readonly #clock: GuestClock;
  readonly #expire: (expired: Expired) => void;

  constructor(clock: GuestClock, expire: (expired: Expired) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  start(timer: TimerName, seconds: number): void {
    this.stop(timer);
    this.#wait(timer, seconds, now(), seconds);
  }

  #wait(timer: TimerName, limit: number, since: number, seconds: number): void {
    const timeout = setTimeout(() => {
      const verdict: Patience = IN_HOST_TIME.has(timer)
        ? { shortage: undefined }
        : patience(limit, this.#clock.since(since));
      if ('wait' in verdict) {
        this.#wait(timer, limit, since, verdict.wait);
        return;
      }
      this.#running.delete(timer);
      this.#expire({ type: 'expired', timer, seconds: limit, shortage: verdict.shortage });
    }, seconds * 1000);
    this.#running.set(timer, timeout);
  }

  stop(timer: TimerName): void {
    clearTimeout(this.#running.get(timer));
    this.#running.delete(timer);
  }

  stopAll(): void {
    for (const timer of [...this.#running.keys()]) this.stop(timer);
  }
}
