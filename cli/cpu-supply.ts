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
   * Time in which a virtual CPU, or the thread that delivers interrupts, wanted to run but waited
   * for a processor or the host's disk, or was stopped. Counts the thread that lacked most.
   */
  starved: number;
  /** Unknown, because daxrepro itself did not run or could not read the clocks. */
  unseen: number;
}

/** A limit was applied although the guest had had less than its time, in seconds. */
export interface Shortage extends CpuSupply {
  /**
   * The part of `seconds` in which the guest ran, or had nothing to run. The rest is the host's.
   */
  available: number;
}

/** Seconds in which the guest ran, or had nothing to run. */
export function availableTime({ seconds, starved }: CpuSupply): number {
  return Math.max(0, seconds - starved);
}

/** In hundredths of a second, for records. */
export function roundedSupply({ seconds, ran, starved, unseen }: CpuSupply): CpuSupply {
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    seconds: round(seconds),
    ran: round(ran),
    starved: round(starved),
    unseen: round(unseen),
  };
}
