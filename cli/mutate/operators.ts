import { readdirSync, readFileSync } from 'node:fs';
import { failure, type Outcome, success } from '../outcome.js';
import { packageRoot } from '../version.js';

/**
 * Mutation operators: semantic patches in kernels/mutations. Each has a rule `mutation` whose `position p` marks
 * the change. A rule serves twice, in two forms made here: to list all places that it matches, and to change the
 * chosen one.
 */

const DIRECTORY = new URL('kernels/mutations/', packageRoot);

export interface Operator {
  name: string;
  /** One sentence, from the comment that the file begins with. */
  title: string;
  rule: string;
}

/** All operators, by name. */
export function readOperators(): Operator[] {
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.cocci'))
    .sort()
    .map((name) => {
      const rule = readFileSync(new URL(name, DIRECTORY), 'utf8');
      const [, title = ''] = /^\/\/ (.*?\.)(?:\s|$)/.exec(rule) ?? [];
      return { name: name.replace(/\.cocci$/, ''), title, rule };
    });
}

/** @param names comma-separated; undefined: all */
export function chooseOperators(names: string | undefined): Outcome<Operator[]> {
  const all = readOperators();
  if (names === undefined) return success(all);
  const wanted = names.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    return failure(
      'usage',
      `--operators ${JSON.stringify(unknown[0])} is not known`,
      `Use one or more of ${all.map(({ name }) => name).join(',')}`,
    );
  }
  return success(all.filter(({ name }) => wanted.includes(name)));
}

/** Marks the lines that the listing prints; all other output is spatch's. */
const MARK = 'MUTATION';

/**
 * The rule as a search: it changes nothing, and prints each match. Rules after `mutation` are consequences of the
 * change, and are left out.
 */
export function listingRule({ rule }: Operator): string {
  const [first = ''] = rule.split(/^@script:/m);
  const search = first
    .split('\n')
    .filter((line) => !line.startsWith('+'))
    .map((line) => line.replace(/^-/, ' '))
    .join('\n');
  return `${search}
@script:python@
p << mutation.p;
@@
for one in p:
    print("${MARK}\\t%s\\t%s\\t%s\\t%s" % (one.file, one.line, one.column, one.current_element))
`;
}

/** The environment variable with the chosen place: `file:line:column`, as spatch counts. */
export const CHOSEN = 'DAXREPRO_MUTATION';

/** The rule for one match: the place must be the chosen one. */
export function choosingRule({ rule }: Operator): string {
  const chosen = rule.replace(/^position p;$/m, 'position p : script:python() { is_chosen(p) };');
  return `@initialize:python@
@@
import os
chosen = os.environ["${CHOSEN}"]
def is_chosen(p):
    return any("%s:%s:%s" % (one.file, one.line, one.column) == chosen for one in p)

${chosen}`;
}

export interface ListedPlace {
  file: string;
  /** From 1. */
  line: number;
  /** From 1; spatch counts from 0. */
  column: number;
  function: string;
}

/** The places in a listing's output, each once, in the order of the source. */
export function placesIn(output: string): ListedPlace[] {
  const places = new Map<string, ListedPlace>();
  for (const text of output.split('\n')) {
    const [mark, file = '', line = '', column = '', name = ''] = text.split('\t');
    if (mark !== MARK) continue;
    const place = { file, line: Number(line), column: Number(column) + 1, function: name };
    places.set(chosenPlace(place), place);
  }
  return [...places.values()].sort(
    (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The value of `CHOSEN` for a place. */
export function chosenPlace({ file, line, column }: Omit<ListedPlace, 'function'>): string {
  return `${file}:${line}:${column - 1}`;
}
