import { availableTime, type CpuSupply } from '../cpu-supply.js';
import type { Finding } from './finding.js';

/**
 * Reports that something made no progress for some time. The kernel goes by its clock, not by what
 * the machine could do in that time, so a guest without processor time reports them, too.
 */

export interface Stall {
  /** Seconds without progress after which the kernel reports. */
  limit: number;
  /** Seconds without progress; at least `limit` if the message does not tell. */
  seconds: number;
}

/**
 * Seconds: CONFIG_RCU_CPU_STALL_TIMEOUT, twice and once watchdog_thresh (kernel/watchdog.c),
 * CONFIG_DEFAULT_HUNG_TASK_TIMEOUT, workqueue.watchdog_thresh (kernel/workqueue.c), as 5.10 to 7.2
 * have them by default.
 */
const LIMITS: Readonly<Record<string, number>> = {
  'rcu-stall': 21,
  'soft-lockup': 20,
  'hard-lockup': 10,
  'hung-task': 120,
  'workqueue-lockup': 30,
};

/** RCU counts in jiffies without saying how many make a second; these are the kernel's options. */
const JIFFIES_A_SECOND = [1000, 300, 250, 100];

/** @returns undefined for a finding of another kind */
export function stallOf({
  kind,
  message,
  lines = [],
}: Pick<Finding, 'kind' | 'message' | 'lines'>): Stall | undefined {
  const limit = LIMITS[kind ?? ''];
  if (limit === undefined) return undefined;
  if (kind === 'rcu-stall') {
    const jiffies = Number(/\bt=(\d+) jiffies\b/.exec([message, ...lines].join('\n'))?.[1]);
    const lengths = JIFFIES_A_SECOND.map((hertz) => jiffies / hertz);
    const seconds = lengths.find((length) => length >= limit - 1) ?? limit;
    return { limit, seconds: Math.max(limit, seconds) };
  }
  const stuck = /\b(?:stuck|blocked|blocked in I\/O wait) for (?:more than )?(\d+) ?s/.exec(
    message,
  );
  const told = Number(stuck?.[1] ?? limit);
  // The message of a hung task has the limit itself, which /proc/sys/kernel can set.
  return kind === 'hung-task'
    ? { limit: told, seconds: told }
    : { limit, seconds: Math.max(limit, told) };
}

/** Who caused a stall. `unclear`: it may be either. */
export type Cause = 'guest' | 'host' | 'unclear';

/** A guest that had this share of the kernel's limit to itself is stuck for its own reasons. */
const GUEST_SHARE = 0.9;
/** With less than this share it had no chance to make progress: any program would be stuck. */
const HOST_SHARE = 0.5;

/** The cause of a stall, judged by what the guest got in the time that the report speaks of. */
export function causeOfStall(limit: number, supply: CpuSupply | undefined): Cause {
  if (!supply) return 'guest';
  const most = availableTime(supply);
  if (most - supply.unseen >= GUEST_SHARE * limit) return 'guest';
  return most <= HOST_SHARE * limit ? 'host' : 'unclear';
}

/** The cause of a finding: the guest, if it is not a stall. */
export function causeOf(finding: Finding): Cause {
  const stall = stallOf(finding);
  return stall ? causeOfStall(stall.limit, finding.cpu) : 'guest';
}
