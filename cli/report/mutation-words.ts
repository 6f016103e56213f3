import { percent } from '../bisect/result.js';
import type {
  MutantOutcome,
  MutationResult,
  MutationScore,
  TestedMutant,
} from '../results/mutation-result.js';
import { formatSeconds, plural } from '../words.js';

/** Sentences about mutants. Not escaped. */

/** `12 of 18 mutants detected: 67 % (95 % interval 41 % to 87 %)` */
export function describeScore({ detected, survived, score }: MutationScore): string {
  if (score === null) return 'no mutant was killed or survived, so there is no score';
  const [low, high] = score.interval;
  return `${detected} of ${plural(detected + survived, 'mutant')} detected: ${percent(score.rate)} (95 % interval ${percent(low)} to ${percent(high)})`;
}

export const OUTCOME_WORDS: Readonly<Record<MutantOutcome, string>> = {
  killed: 'killed',
  'timed-out': 'timed out',
  survived: 'survived',
  'no-verdict': 'no verdict',
  'not-compiled': 'does not compile',
  identical: 'identical object',
};

/** `12 killed, 6 survived, 1 does not compile`: without outcomes that no mutant has. */
export function listOutcomes({ counts }: MutationScore): string {
  return (Object.keys(OUTCOME_WORDS) as MutantOutcome[])
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `${counts[outcome]} ${OUTCOME_WORDS[outcome]}`)
    .join(', ');
}

export function describeSample({ question, candidates, drawn, mutants }: MutationResult): string {
  const rest = drawn - mutants.length;
  const missing = rest > 0 ? `; ${rest} of them did not run` : '';
  const where = question.files.length > 0 ? ` in ${question.files.join(', ')}` : '';
  return `${plural(drawn, 'mutant')} drawn with seed ${question.seed} from ${candidates} places${where}, in ${question.functions}${missing}`;
}

/** The tests that could kill a mutant, and those that could not. */
export function describeTests({ base }: MutationResult): string {
  const usable = base.filter(({ verdict }) => verdict === 'pass');
  const others = base.length - usable.length;
  const seconds = usable.reduce((sum, one) => sum + one.seconds, 0);
  const unused =
    others > 0 ? `; ${others} of ${base.length} do not pass there and kill nothing` : '';
  return `${plural(usable.length, 'test')}, in all ${formatSeconds(seconds)} on the unchanged module${unused}`;
}

export function describePlace({ operator, file, line, function: name }: TestedMutant): string {
  return `${operator}, ${file}:${line}, ${name}`;
}

export function describeTime({ buildSeconds, seconds, tests }: TestedMutant): string {
  const ran = tests > 0 ? `, ${plural(tests, 'test')} in ${formatSeconds(seconds)}` : '';
  return `built in ${formatSeconds(buildSeconds)}${ran}`;
}
