import { type Attempts, isDecided } from '../compare/differences.js';
import { type AttemptsDiff, compareAttemptsFully } from '../diff/diff.js';
import { reasonClass } from '../findings/signature.js';
import { plural } from '../words.js';

/** Decides whether a replay agrees with the recorded results. Pure. */

export type Agreement = 'agrees' | 'differs' | 'cannot-tell';

export interface Judged extends AttemptsDiff {
  conclusion: Agreement;
  /** One clause without a full stop. It may contain text from a guest. */
  why: string;
}

const NOTHING: AttemptsDiff = {
  reasons: [],
  comparable: false,
  appeared: [],
  vanished: [],
  failures: null,
};

/**
 * - agrees: the same verdict and the same signatures of findings, apart from notices. With several
 *   attempts: no signature is new, none that was always there is missing, and the failure rates do not
 *   differ significantly
 * - cannot-tell: the replay has no verdict, or too few attempts for a failure that showed only sometimes
 * - differs: otherwise
 *
 * @param replayed undefined if the replay was interrupted before
 */
export function judgeReplay(recorded: Attempts, replayed: Attempts | undefined): Judged {
  if (!replayed) return { ...NOTHING, conclusion: 'cannot-tell', why: 'it was not run again' };
  if (!recorded.units.some(isDecided)) return withoutVerdict(recorded, replayed);
  if (!replayed.units.some(isDecided)) {
    const [unit] = replayed.units;
    const why = `the replay has no verdict: ${unit?.verdict}: ${unit?.reason}`;
    return { ...NOTHING, conclusion: 'cannot-tell', why };
  }
  const changes = compareAttemptsFully(recorded, replayed);
  if (changes.reasons.length > 0) {
    return { ...changes, conclusion: 'differs', why: describe(recorded, replayed) };
  }
  const open = changes.vanished.find((one) => one.maybeChance && one.severity !== 'notice');
  if (open) {
    const why = `${open.signature} showed in ${open.attempts} of ${plural(open.of, 'attempt')}, so ${plural(replayed.units.length, 'attempt')} may miss it; ${attemptsToShow(open)} would show it with a probability of 95 % (--repeat)`;
    return { ...changes, conclusion: 'cannot-tell', why };
  }
  return { ...changes, conclusion: 'agrees', why: describe(recorded, replayed) };
}

/** If the recorded unit had no verdict, the replay agrees if it has none either, for the same reason. */
function withoutVerdict(recorded: Attempts, replayed: Attempts): Judged {
  const [one, other] = [recorded.units[0], replayed.units[0]];
  const same =
    recorded.verdict === replayed.verdict &&
    reasonClass(one?.reason ?? '') === reasonClass(other?.reason ?? '');
  if (same) return { ...NOTHING, conclusion: 'agrees', why: describe(recorded, replayed) };
  const conclusion = replayed.verdict === 'error' ? 'cannot-tell' : 'differs';
  return { ...NOTHING, conclusion, why: `${describe(recorded, replayed)}: ${other?.reason}` };
}

function describe(recorded: Attempts, replayed: Attempts): string {
  const [old, young] = [countVerdicts(recorded), countVerdicts(replayed)];
  return old === young ? `${old}, as recorded` : `recorded ${old}, now ${young}`;
}

function countVerdicts({ units }: Attempts): string {
  const counts = new Map<string, number>();
  for (const { verdict } of units) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  if (units.length === 1) return units[0]?.verdict ?? '';
  return [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(' and ');
}

/** The number of attempts that show a failure of this rate with a probability of 95 %. */
function attemptsToShow({ attempts, of }: { attempts: number; of: number }): number {
  return Math.ceil(Math.log(0.05) / Math.log(1 - attempts / of));
}

/** The worst conclusion. */
export function conclusionOf(all: readonly { conclusion: Agreement }[]): Agreement {
  const has = (one: Agreement) => all.some(({ conclusion }) => conclusion === one);
  if (has('differs')) return 'differs';
  return all.length === 0 || has('cannot-tell') ? 'cannot-tell' : 'agrees';
}
