import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import type { SemanticStep } from './changes.js';
import type { PatchTarget } from './patch.js';

/**
 * Finds code that spatch could not parse. spatch silently skips such a function and exits with 0
 * (seen with 1.1.1 and 1.3.0, for a function that uses `scoped_guard`), so the semantic patch is
 * only half applied.
 */

/** A semantic patch with this comment may skip functions that spatch cannot parse. */
export const ALLOWED = '// daxrepro: skip unparsed';

export interface UnparsedRegion {
  /** Relative to the tree. */
  file: string;
  /** The line where spatch stopped, from 1. */
  line: number;
  text: string;
}

/** C keywords, which do not tell which code a rule matches. */
const KEYWORDS = new Set(
  'if else for while do switch case default return goto break continue sizeof struct union enum static inline const void int long short char unsigned signed bool NULL true false when any exists forall'.split(
    ' ',
  ),
);

/**
 * For each rule, the words that must occur together in code that it changes, without metavariables: those of
 * each line that it removes, or, if it only adds, of each line around. No words match any code: the rule's
 * lines consist of metavariables. A rule is `@name@`, its declarations, `@@` (or both marks on one line), and
 * its body.
 */
export function changedWords(cocci: string): string[][] {
  return rulesOf(cocci).flatMap(({ removed, added, around }) => {
    if (removed.length === 0 && !added) return [];
    const lines = (removed.length > 0 ? removed : around).filter((words) => words.length > 0);
    return lines.length > 0 ? lines : [[]];
  });
}

/** A rule's body: the words of its lines. */
interface RuleLines {
  removed: string[][];
  added: boolean;
  around: string[][];
}

function rulesOf(cocci: string): RuleLines[] {
  const rules: RuleLines[] = [];
  let isHeader = false;
  let metavariables = new Set<string>();
  for (const line of cocci.split('\n')) {
    const [, inline] = /^@[^@]*@([^@]*)@@/.exec(line) ?? [];
    if (inline !== undefined || (!isHeader && line.startsWith('@'))) {
      metavariables = new Set(wordsOf(inline ?? ''));
      isHeader = inline === undefined;
      rules.push({ removed: [], added: false, around: [] });
    } else if (isHeader) {
      if (line.startsWith('@')) isHeader = false;
      else for (const word of wordsOf(line)) metavariables.add(word);
    } else {
      const code = line.replace(/\/\/.*/, '').replaceAll(/"(?:[^"\\]|\\.)*"/g, '');
      const words = wordsOf(code).filter((word) => !KEYWORDS.has(word) && !metavariables.has(word));
      const rule = rules.at(-1);
      if (!rule) continue;
      if (line.startsWith('-')) rule.removed.push([...new Set(words)]);
      else if (line.startsWith('+')) rule.added = true;
      else rule.around.push([...new Set(words)]);
    }
  }
  return rules;
}

function wordsOf(text: string): string[] {
  return text.match(/[A-Za-z_]\w*/g) ?? [];
}

/** The regions that `spatch --parse-c` reports as not parsed. */
export function unparsedRegions(output: string): UnparsedRegion[] {
  const regions: UnparsedRegion[] = [];
  for (const part of output.split(/^parse error\s*$/m).slice(1)) {
    const [, file = '', line = '0'] = /File "([^"]*)", line (\d+)/.exec(part) ?? [];
    const text = [...part.matchAll(/^(?:bad:|BAD:!*) ?(.*)$/gm)].map(([, code]) => code).join('\n');
    regions.push({ file, line: Number(line), text });
  }
  return regions;
}

function hasWords(text: string, words: readonly string[]): boolean {
  return words.every((word) => new RegExp(`\\b${word}\\b`).test(text));
}

/** Fails if spatch skipped code that a rule of the semantic patch would have changed. */
export async function checkUnparsed(
  step: SemanticStep,
  code: ReadonlyMap<string, Buffer>,
  { tree, signal }: Pick<PatchTarget, 'tree' | 'signal'>,
): Promise<Outcome<void>> {
  const cocci = step.content.toString();
  if (cocci.includes(ALLOWED)) return success(undefined);
  const lines = changedWords(cocci);
  const matches = (text: string) => lines.some((words) => hasWords(text, words));
  const files = [...code]
    .filter(([, content]) => matches(content.toString()))
    .map(([file]) => file);
  for (const file of files) {
    const parsed = await runTool(['spatch', '--parse-c', join(tree, file)], {
      ...{ cwd: tree, env: { LC_ALL: 'C' } },
      ...(signal ? { signal } : {}),
    });
    if (parsed.canceled) {
      return failure('interrupted', `Interrupted while applying ${step.name}`, 'Start it again');
    }
    const skipped = unparsedRegions(parsed.all).find(({ text }) => matches(text));
    if (!skipped) continue;
    return failure(
      'change-rejected',
      `${step.name} is only half applied: spatch cannot parse a function in ${file}, near line ${skipped.line}, that the patch would change`,
      `Change that function with a patch, or accept it unchanged with a line "${ALLOWED}" in ${step.name}`,
      {
        place: { file: step.file },
        detail: skipped.text.trim().split('\n').slice(0, 20).join('\n'),
      },
    );
  }
  return success(undefined);
}
