import type { WitnessState } from '../kernel/witness.js';
import type { Judgement } from '../verdict/judge.js';
import type { UnitRecord } from '../verdict/record.js';
import { type Unwritten, unwrittenAt } from './unwritten.js';

/** Why what a unit found was not written; undefined where there is nothing to explain. */
export function explainUnit(
  { unmounts, ending }: UnitRecord,
  { verdict }: Pick<Judgement, 'verdict'>,
  witness: WitnessState,
): Unwritten | undefined {
  if (verdict === 'pass' || verdict === 'notrun') return undefined;
  if (unmounts) return unwrittenAt(unmounts);
  if (verdict !== 'fail') return undefined;
  const reason =
    witness.missing ??
    (ending.kind === 'finished'
      ? "the guest's kernel did not take our module"
      : 'the guest ended before it could be asked');
  return { known: false, reason };
}
