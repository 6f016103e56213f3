import { escapeForTerminal } from '../findings/escape.js';
import type { Mutant, MutationResult, TestedMutant } from '../results/mutation-result.js';
import { formatSeconds, numbered } from '../words.js';
import {
  describePlace,
  describeSample,
  describeScore,
  describeTests,
  describeTime,
  listOutcomes,
  OUTCOME_WORDS,
} from './mutation-words.js';
import { wrapField } from './wrap.js';

/** The result of `daxrepro mutate` as text: the survivors with their diffs first, then the others on a line each. */
export function formatMutation(result: MutationResult, { width }: { width: number }): string {
  const { question, mutants, durationSeconds, directory, withoutPowerCut } = result;
  const field = (label: string, text: string) =>
    wrapField(label, escapeForTerminal(text), { indent: 0, label: 8, width });
  const { kernel, fs, suite, powerCut } = question;
  const cuts = powerCut ? ', with power cuts' : '';
  const open = mutants.filter(({ outcome }) => outcome === 'survived' || outcome === 'no-verdict');
  const closed = mutants.filter((one) => !open.includes(one));
  return [
    ...open.flatMap((one) => [...openMutant(one, width), '']),
    ...closed.map((one) => closedMutant(one)),
    ...(closed.length > 0 ? [''] : []),
    ...field('score', describeScore(result)),
    ...(withoutPowerCut === null
      ? []
      : field('', `without power cuts, ${describeScore(withoutPowerCut)}`)),
    ...field('outcomes', listOutcomes(result) || 'none'),
    ...field('sample', describeSample(result)),
    ...field('tests', `${suite.name}${cuts}: ${describeTests(result)}`),
    ...field('kernel', `${fs} of ${kernel.release} from ${kernel.spec}`),
    ...field('time', formatSeconds(durationSeconds)),
    ...field('files', directory),
    ...field('page', `${directory}/mutants.html`),
  ].join('\n');
}

function openMutant(mutant: TestedMutant, width: number): string[] {
  const { number, outcome, reason, diff, replay } = mutant;
  const title = `${OUTCOME_WORDS[outcome].toUpperCase()} #${number}  ${describePlace(mutant)}`;
  const field = (label: string, text: string) =>
    wrapField(label, escapeForTerminal(text), { indent: 4, label: 6, width });
  return [
    escapeForTerminal(title),
    ...field('reason', reason),
    ...field('time', describeTime(mutant)),
    ...(replay === null ? [] : field('replay', replay)),
    ...diffLines(diff),
  ];
}

function closedMutant(mutant: TestedMutant): string {
  const { number, outcome, test, finding, reason } = mutant;
  const by = test === null ? '' : ` by ${test}`;
  const why = finding ? `${finding.tool}: ${finding.message}` : reason;
  const text = `${OUTCOME_WORDS[outcome]} #${number}${by}  ${describePlace(mutant)}: ${why}`;
  return escapeForTerminal(text);
}

function diffLines(diff: string): string[] {
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => `    | ${escapeForTerminal(line.replaceAll('\t', '        '))}`.trimEnd());
}

/** `--list`: the mutants that would be tested. */
export function formatMutants(mutants: readonly Mutant[], candidates: number): string {
  const each = mutants.map(({ number, operator, file, line, function: name, diff }) =>
    [`#${numbered(number - 1)}  ${operator}, ${file}:${line}, ${name}`, ...diffLines(diff)].join(
      '\n',
    ),
  );
  return [...each, `${mutants.length} mutants, drawn from ${candidates} places`].join('\n\n');
}
