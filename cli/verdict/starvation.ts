import type { CpuSupply } from '../cpu-supply.js';
import type { Finding } from '../findings/finding.js';
import { causeOf, causeOfStall } from '../findings/stall.js';
import type { Ending } from '../guest/ending.js';
import type { UnitRecord } from '../record/record.js';
import { type Decision, isSerious } from './decision.js';

/**
 * A guest that got too little processor time from its host looks stuck: its kernel reports stalls,
 * heartbeats stay away, tests do not end in time. What the host gave decides who is to blame.
 */

/** `the host gave the guest 8 % of a CPU for 21 s before this, and kept it waiting for 19 s` */
export function describeSupply({ seconds, ran, starved, unseen }: CpuSupply): string {
  const share = seconds > 0 ? Math.round((100 * ran) / seconds) : 0;
  const unknown = unseen >= 1 ? `; of ${Math.round(unseen)} s nothing is known` : '';
  return `the host gave the guest ${share} % of a CPU for ${Math.round(seconds)} s before this, and kept it waiting for ${Math.round(starved)} s${unknown}`;
}

type Judged = Decision & { findings: readonly Finding[] };

/**
 * The judgement on a unit, of which nothing counts as the guest's fault that the host may have caused. A
 * stall that the host caused is a notice; one that either may have caused leaves no verdict.
 *
 * @param judge what judges the record in which such stalls are notices
 */
export function withStarvation<Judgement extends Judged>(
  record: UnitRecord,
  judge: (record: UnitRecord) => Judgement,
): Judgement {
  const stalls = record.kernelFindings.filter((finding) => causeOf(finding) !== 'guest');
  const kernelFindings = record.kernelFindings.map((finding) =>
    stalls.includes(finding) ? { ...finding, severity: 'notice' as const } : finding,
  );
  const judgement = judge({ ...record, kernelFindings });
  const isDamaged = judgement.findings.some(isSerious);
  if (judgement.verdict === 'fail' && !isDamaged) {
    const doubt = doubtOfFailure(record, judgement, stalls);
    if (doubt) return withoutVerdict(judgement, doubt);
  }
  if (judgement.verdict !== 'pass' && judgement.verdict !== 'notrun') return judgement;
  const unclear = stalls.find((finding) => causeOf(finding) === 'unclear');
  if (unclear) {
    const reason = `kernel: ${unclear.message}; ${describe(unclear)}, so either may be the cause`;
    return withoutVerdict(judgement, reason);
  }
  const first = stalls[0];
  if (!first) return judgement;
  const count = stalls.length === 1 ? '1 stall' : `${stalls.length} stalls`;
  return {
    ...judgement,
    reason: `${judgement.reason}; ${count} of a starved guest: ${describe(first)}`,
  };
}

function describe({ cpu }: Finding): string {
  return cpu ? describeSupply(cpu) : 'the CPU time of the guest is not known';
}

function withoutVerdict<Judgement extends Judged>(judgement: Judgement, reason: string): Judgement {
  const outcome = judgement.outcome && { outcome: 'undecided' as const };
  return { ...judgement, ...outcome, verdict: 'error', reason };
}

/** Why the host may have caused a failure without damage; undefined if the guest did. */
function doubtOfFailure(
  record: UnitRecord,
  { reason, outcome }: Judged,
  stalls: readonly Finding[],
): string | undefined {
  const short = shortageOf(record.ending);
  if (short) return `${reason}; ${describeSupply(short)}`;
  const test = record.cpu?.test;
  const timedOut = record.events.some((event) => event.event === 'test' && event.timedOut);
  if (timedOut && test && causeOfStall(test.seconds, test) !== 'guest') {
    return `${reason}; ${describeSupply(test)}`;
  }
  // xfstests' own check of the log does not know about the host.
  const [stall] = stalls;
  return outcome === 'kernel-log' && stall
    ? `${reason}: ${stall.message}; ${describe(stall)}`
    : undefined;
}

function shortageOf(ending: Ending): CpuSupply | undefined {
  return 'shortage' in ending ? ending.shortage : undefined;
}
