/**
 * How much processor time the host gave a guest. A guest that gets too little looks hung, and its
 * kernel reports stalls that no bug has caused.
 */

/** What the guest got in some stretch of time. All in seconds. */
export interface CpuSupply {
  seconds: number;
  /** Processor time of all virtual CPUs. */
  ran: number;
  /**
   * A virtual CPU, or the thread that delivers interrupts, wanted to run and could not: it waited for a
   * processor or the host's disk, or was stopped. Of the thread that lacked the most.
   */
  starved: number;
  /** Nothing is known: daxrepro itself did not run, or could not read the clocks. */
  unseen: number;
}

/** That a guest had less than a limit's time when the limit was applied, in seconds. */
export interface Shortage extends CpuSupply {
  /** Of `seconds`, those in which the guest ran, or had nothing to run: the rest is the host's. */
  available: number;
}

/** Seconds that were the guest's own: it ran, or had nothing to run. */
export function availableTime({ seconds, starved }: CpuSupply): number {
  return Math.max(0, seconds - starved);
}

/** In hundredths of a second, as records keep it. */
export function roundedSupply({ seconds, ran, starved, unseen }: CpuSupply): CpuSupply {
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    seconds: round(seconds),
    ran: round(ran),
    starved: round(starved),
    unseen: round(unseen),
  };
}
