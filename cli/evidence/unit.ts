import type { Finding, InodeFacts } from '../findings/finding.js';
import type { WitnessState } from '../kernel/kernel.js';
import type { UnitRecord } from '../record/record.js';
import type { Judgement } from '../verdict/judge.js';
import { inodeFacts, withEvidence } from './inodes.js';
import { type Unwritten, unwrittenAt } from './unwritten.js';

/** Adds a unit's evidence to its result. It never changes the verdict. */
export interface UnitEvidence {
  /** With the state of their inodes on the medium. */
  findings: Finding[];
  /** Why something was not written; absent if there is nothing to explain. */
  unwritten?: Unwritten;
  /** All inodes that were examined. */
  inodes?: InodeFacts[];
}

export function explainUnit(
  record: UnitRecord,
  { verdict, findings }: Pick<Judgement, 'verdict' | 'findings'>,
  witness: WitnessState,
): UnitEvidence {
  // Data that a power cut lost was written in the run itself, which had no power cut.
  const cut = findings.length > 0 && findings.every(({ tool }) => tool === 'power-cut');
  const unwritten = cut ? undefined : whyUnwritten(record, verdict, witness);
  const inodes = inodeFacts(record, unwritten);
  return {
    findings: withEvidence(findings, inodes),
    ...(unwritten ? { unwritten } : {}),
    ...(inodes.length > 0 ? { inodes } : {}),
  };
}

function whyUnwritten(
  { unmounts, ending }: UnitRecord,
  verdict: Judgement['verdict'],
  witness: WitnessState,
): Unwritten | undefined {
  if (verdict === 'pass' || verdict === 'notrun') return undefined;
  if (unmounts) return unwrittenAt(unmounts);
  if (verdict !== 'fail') return undefined;
  const reason =
    witness.missing ??
    (ending.kind === 'finished'
      ? "the guest's kernel did not load daxrepro's module"
      : 'the guest ended before it could report this');
  return { known: false, reason };
}
