import { referenceOf } from '../compare/differences.js';
import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { cellKey } from '../results/case.js';
import { type CellResult, type CompareResult, cellResults } from '../results/compare-result.js';
import type { ReplyTo } from './mail-headers.js';

/**
 * Tags that a result suggests (Documentation/process/submitting-patches.rst), as comments: a tag is the word
 * of a person, who has to add it. regzbot's command is not a tag, and stands for itself.
 */

const SOMEBODY = 'Your Name <you@example.org>';

/** Lines; empty unless the bisection found one commit. */
export function bisectionTags(result: BisectionResult, reply?: ReplyTo): string[] {
  const { answer, question } = result;
  const [culprit, ...others] = answer.culprits;
  const isCommit = question.series === undefined;
  if (answer.ending !== 'found' || !isCommit || !culprit || others.length > 0) return [];
  const id = culprit.id.slice(0, 12);
  const mail = reply?.messageId.replace(/^<|>$/g, '');
  return [
    `#regzbot introduced: ${id}`,
    '',
    'Tags to consider for the fix:',
    '',
    `# Fixes: ${id} ("${culprit.title}")`,
    `# Reported-by: ${reply?.from ?? SOMEBODY}`,
    `# Closes: ${mail === undefined ? 'URL of the report' : `https://lore.kernel.org/r/${mail}`}`,
  ].map(escapeForTerminal);
}

/** Lines; empty unless a variant fixes what fails without it. */
export function comparisonTags(result: CompareResult): string[] {
  const fixes = result.case.variants.filter(
    ({ name, changes }) => changes.length > 0 && holdsAsFix(result, name),
  );
  if (fixes.length === 0) return [];
  return [
    `Tag to consider, if you tested ${fixes.map(({ name }) => name).join(', ')}:`,
    '',
    `# Tested-by: ${SOMEBODY}`,
  ].map(escapeForTerminal);
}

/**
 * A variant is a fix that holds if every expectation held, every attempt of the variant passed, and at least
 * one row fails without it: in every attempt, or significantly more often.
 */
function holdsAsFix(result: CompareResult, variant: string): boolean {
  const reference = referenceOf(result.case);
  if (variant === reference || result.units.some(({ held }) => !held)) return false;
  const rows = groupBy(cellResults(result), (cell) => cellKey({ ...cell, variant: '' }));
  const pairs = [...rows.values()].map((row) => ({
    before: row.find((cell) => cell.variant === reference),
    after: row.find((cell) => cell.variant === variant),
  }));
  const passes = pairs.every(({ after }) => allHave(after, 'pass'));
  return passes && pairs.some(({ before }) => before && fails(before, variant, result));
}

function allHave(cell: CellResult | undefined, verdict: 'pass' | 'fail'): boolean {
  return (
    cell !== undefined && cell.units.length > 0 && cell.units.every((u) => u.verdict === verdict)
  );
}

function fails(before: CellResult, variant: string, { rates }: CompareResult): boolean {
  if (allHave(before, 'fail')) return true;
  return rates.some(
    (rate) =>
      rate.conclusion === 'fails-less' &&
      cellKey({ ...before, variant }) === cellKey({ ...before, ...rate, variant: rate.variant }),
  );
}
