import type { CpuSupply } from '../cpu-supply.js';

/** A supply with its interval on the host's monotonic clock (`performance.now()`), in seconds. */
export interface CpuInterval extends CpuSupply {
  from: number;
}

/** Measures the processor time that a guest gets. Times are in seconds of `now`. */
export interface GuestClock {
  /** From then until now. */
  since(from: number): CpuSupply;
  between(from: number, to: number): CpuSupply;
  longestStarved(from: number, to: number): CpuInterval | undefined;
  stop(): void;
}

/** Intervals shorter than this are merged, in seconds. */
const SHORTEST = 1;
/**
 * Limits memory: beyond this, neighbouring intervals are merged, so a day takes no more than an
 * hour.
 */
const MOST_INTERVALS = 4096;
/** Calmer seconds may interrupt a starved stretch; this share makes an interval starved. */
const STARVED_SHARE = 0.5;

/** The supply over a guest's life. Memory is bounded. */
export class CpuHistory {
  #intervals: CpuInterval[] = [];
  #shortest = SHORTEST;

  add(interval: CpuInterval): void {
    const last = this.#intervals.at(-1);
    if (last && last.seconds < this.#shortest) {
      this.#intervals[this.#intervals.length - 1] = { ...add(last, interval), from: last.from };
      return;
    }
    this.#intervals.push(interval);
    if (this.#intervals.length > MOST_INTERVALS) this.#coarsen();
  }

  #coarsen(): void {
    this.#shortest *= 2;
    const merged: CpuInterval[] = [];
    for (let index = 0; index < this.#intervals.length; index += 2) {
      const [first, second] = this.#intervals.slice(index, index + 2) as [
        CpuInterval,
        CpuInterval?,
      ];
      merged.push(second ? { ...add(first, second), from: first.from } : first);
    }
    this.#intervals = merged;
  }

  /** What the guest got between two moments. Time outside the history counts as unseen. */
  between(from: number, to: number): CpuSupply {
    const seconds = Math.max(0, to - from);
    let sum: CpuSupply = { seconds: 0, ran: 0, starved: 0, unseen: 0 };
    for (const interval of this.#intervals) {
      const begin = Math.max(from, interval.from);
      const end = Math.min(to, interval.from + interval.seconds);
      if (end > begin) sum = add(sum, part(interval, (end - begin) / interval.seconds));
    }
    const unseen = Math.max(0, seconds - sum.seconds) + sum.unseen;
    return { seconds, ran: sum.ran, starved: Math.min(seconds, sum.starved), unseen };
  }

  /** The longest stretch within a period in which every interval was starved. */
  longestStarved(from: number, to: number): CpuInterval | undefined {
    let longest: CpuInterval | undefined;
    let current: CpuInterval | undefined;
    for (const interval of this.#intervals) {
      if (interval.from + interval.seconds <= from || interval.from >= to) continue;
      const isStarved = interval.starved >= STARVED_SHARE * interval.seconds;
      current = isStarved
        ? current
          ? { ...add(current, interval), from: current.from }
          : interval
        : undefined;
      if (current && current.seconds > (longest?.seconds ?? 0)) longest = current;
    }
    return longest;
  }
}

function add(one: CpuSupply, other: CpuSupply): CpuSupply {
  return {
    seconds: one.seconds + other.seconds,
    ran: one.ran + other.ran,
    starved: one.starved + other.starved,
    unseen: one.unseen + other.unseen,
  };
}

function part({ seconds, ran, starved, unseen }: CpuSupply, share: number): CpuSupply {
  return {
    seconds: seconds * share,
    ran: ran * share,
    starved: starved * share,
    unseen: unseen * share,
  };
}
