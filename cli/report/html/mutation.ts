import { groupBy } from '../../group-by.js';
import {
  MUTANT_OUTCOMES,
  type MutantOutcome,
  type MutationResult,
  type TestedMutant,
} from '../../results/mutation-result.js';
import { formatSeconds, plural } from '../../words.js';
import {
  describePlace,
  describeSample,
  describeScore,
  describeTests,
  describeTime,
  listOutcomes,
  OUTCOME_WORDS,
} from '../mutation-words.js';
import { drawRate } from './drawings.js';
import { frame, navigation } from './frame.js';
import { fields, scrolls } from './parts.js';
import { type Html, html, preformatted } from './template.js';

/** Mutants as one page: the score, the survivors, and the source with every mutated line marked. */

/** Unchanged lines that are shown around a mutated one. */
const AROUND = 12;

/** @param sources the unchanged files, by path */
export function formatMutationPage(
  result: MutationResult,
  sources: ReadonlyMap<string, string>,
): string {
  const { question, mutants, tool } = result;
  const files = [...groupBy(mutants, ({ file }) => file)].sort(([a], [b]) => (a < b ? -1 : 1));
  return frame({
    title: `Mutants of ${question.fs} on ${question.kernel.release}`,
    version: tool.version,
    contents: navigation([
      ['mutants', 'Mutants'],
      ...files.map(([file]) => [fileId(file), file] as const),
      ['tests', 'Tests'],
    ]),
    main: html`${scoreParagraph(result)}
${mutantTable(mutants)}
${files.map(([file, own]) => fileSection(file, own, sources.get(file)))}
${testSection(result)}`,
  });
}

const CLASSES: Readonly<Record<MutantOutcome, string>> = {
  killed: 'pass',
  'timed-out': 'pass',
  survived: 'fail',
  'no-verdict': 'error',
  'not-compiled': 'notrun',
  identical: 'notrun',
};

function mark({ outcome }: Pick<TestedMutant, 'outcome'>): Html {
  return html`<span class="verdict ${CLASSES[outcome]}">${OUTCOME_WORDS[outcome]}</span>`;
}

function scoreParagraph(result: MutationResult): Html {
  const { score, command, durationSeconds, withoutPowerCut } = result;
  return html`<p><strong>${describeScore(result)}.</strong> ${score !== null && drawRate(score)}</p>
${fields([
  ['without power cuts', withoutPowerCut === null ? undefined : describeScore(withoutPowerCut)],
  ['outcomes', listOutcomes(result)],
  ['sample', describeSample(result)],
  ['tests', describeTests(result)],
  ['time', formatSeconds(durationSeconds)],
  ['command', html`<code>daxrepro ${command.join(' ')}</code>`],
])}`;
}

/** Those that need attention come first. */
function mutantTable(mutants: readonly TestedMutant[]): Html {
  const order: readonly MutantOutcome[] = [
    'survived',
    'no-verdict',
    ...MUTANT_OUTCOMES.filter((one) => one !== 'survived' && one !== 'no-verdict'),
  ];
  const sorted = mutants.toSorted(
    (a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome) || a.number - b.number,
  );
  return html`<section aria-labelledby="mutants"><h2 id="mutants">Mutants</h2>
${scrolls(
  'Mutants',
  html`<table class="words"><thead><tr><th scope="col">mutant</th><th scope="col">outcome</th><th scope="col">test</th><th scope="col">why</th><th scope="col">time</th></tr></thead><tbody>${sorted.map(
    (one) =>
      html`<tr><th scope="row"><a href="#${mutantId(one)}">${one.number}</a> ${describePlace(one)}</th><td>${mark(one)}</td><td>${one.test ?? ''}</td><td>${one.finding ? `${one.finding.tool}: ${one.finding.message}` : one.reason}</td><td>${describeTime(one)}</td></tr>
`,
  )}</tbody></table>`,
)}</section>
`;
}

function fileSection(
  file: string,
  mutants: readonly TestedMutant[],
  source: string | undefined,
): Html {
  const id = fileId(file);
  const survivors = mutants.filter(({ outcome }) => outcome === 'survived').length;
  const count = `${plural(mutants.length, 'mutant')}, ${plural(survivors, 'survivor')}`;
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${file}</h2><p>${count}</p>
${source !== undefined && sourceExcerpts(source.split('\n'), mutants)}</section>
`;
}

/** The source around mutated lines, with the mutants after their lines. */
function sourceExcerpts(lines: readonly string[], mutants: readonly TestedMutant[]): Html[] {
  const byLine = groupBy(mutants, ({ line }) => line);
  const excerpts: Html[] = [];
  let from = 1;
  let upTo = 0;
  const flush = () => {
    if (upTo >= from) excerpts.push(...excerpt(lines, from, upTo, byLine));
  };
  for (const line of [...byLine.keys()].sort((a, b) => a - b)) {
    const start = Math.max(1, line - AROUND);
    if (start > upTo + 1) {
      flush();
      from = start;
    }
    upTo = Math.min(lines.length, line + AROUND);
  }
  flush();
  return excerpts;
}

function excerpt(
  lines: readonly string[],
  from: number,
  upTo: number,
  byLine: ReadonlyMap<number, readonly TestedMutant[]>,
): Html[] {
  const parts: Html[] = [];
  let start = from;
  for (let line = from; line <= upTo; line += 1) {
    const mutants = byLine.get(line);
    if (!mutants) continue;
    const worst = mutants.find(({ outcome }) => outcome === 'survived') ?? mutants[0];
    const marked = html`<span class="${CLASSES[worst?.outcome ?? 'identical']}">${numberedLines(lines, line, line)}</span>`;
    const before = start < line ? html`${numberedLines(lines, start, line - 1)}\n` : html``;
    parts.push(html`<pre tabindex="0">${before}${marked}</pre>`, ...mutants.map(mutantBlock));
    start = line + 1;
  }
  if (start <= upTo) {
    parts.push(html`<pre tabindex="0">${numberedLines(lines, start, upTo)}</pre>`);
  }
  return parts;
}

function numberedLines(lines: readonly string[], from: number, upTo: number): Html {
  const shown = lines.slice(from - 1, upTo).map((text, index) => {
    const number = String(from + index).padStart(5);
    return `${number}  ${text.replaceAll('\t', '        ')}`;
  });
  return preformatted(shown);
}

function mutantBlock(mutant: TestedMutant): Html {
  const { number, operator, outcome, reason, diff, replay } = mutant;
  return html`<details id="${mutantId(mutant)}"${outcome === 'survived' && html` open`}><summary>${mark(mutant)} mutant ${number}, ${operator}</summary><div class="body"><p>${reason}</p>
<pre tabindex="0">${preformatted(diff.trimEnd().replaceAll('\t', '        ').split('\n'))}</pre>
${replay !== null && html`<p><code>${replay}</code></p>`}</div></details>
`;
}

function testSection({ base, mutants }: MutationResult): Html {
  const kills = groupBy(
    mutants.filter(({ outcome }) => outcome === 'killed' || outcome === 'timed-out'),
    ({ test }) => test ?? '',
  );
  const sorted = base.toSorted((a, b) => a.seconds - b.seconds);
  return html`<section aria-labelledby="tests"><h2 id="tests">Tests</h2>
<p>On the unchanged module, the quickest first: in this order they ran on each mutant, until one failed.</p>
${scrolls(
  'Tests',
  html`<table class="words"><thead><tr><th scope="col">test</th><th scope="col">unchanged</th><th scope="col">time</th><th scope="col">killed</th></tr></thead><tbody>${sorted.map(
    ({ test, powerCut, verdict, seconds }) =>
      html`<tr><th scope="row">${test}${powerCut && ', power cuts'}</th><td>${verdict}</td><td>${formatSeconds(seconds)}</td><td>${kills.get(test)?.length ?? 0}</td></tr>
`,
  )}</tbody></table>`,
)}</section>
`;
}

function fileId(file: string): string {
  return `file-${file.replaceAll(/[^A-Za-z0-9]/g, '-')}`;
}

function mutantId({ number }: Pick<TestedMutant, 'number'>): string {
  return `mutant-${number}`;
}
