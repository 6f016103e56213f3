import { nearest } from '../nearest.js';
import { failure, type Outcome, type Place, success } from '../outcome.js';

/** Chooses tests of a suite by ids, ranges, patterns, groups and exclusions. */

export interface Choosable {
  id: string;
  groups: readonly string[];
}

/** The user's words for tests to take or to leave out. */
export interface Choice {
  /** `generic/002`, `generic/001-010`, `xfs/5*`. */
  ids: readonly string[];
  /** `dax`, `quick,rw`, `generic/quick`, `all`. */
  groups: readonly string[];
}

/** Whether a test matches a word. */
type Matcher = (id: string) => boolean;

const ID = /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/;
const RANGE = /^([A-Za-z0-9_.]+)\/(\d{3,})-(?:([A-Za-z0-9_.]+)\/)?(\d{3,})$/;
const PATTERN = /^[A-Za-z0-9_.*?[\]-]+\/[A-Za-z0-9_.*?[\]-]+$/;

/** Parses a word, and tells whether it stands for a single test. undefined if it has no valid form. */
function matcher(word: string): { matches: Matcher; single: boolean } | undefined {
  const range = RANGE.exec(word);
  if (range) {
    const [, folder, first, other = folder, last] = range;
    if (other !== folder || Number(first) > Number(last)) return undefined;
    return {
      single: false,
      matches: (id) => {
        const [, of, number] = /^(.*)\/(\d+)[^/]*$/.exec(id) ?? [];
        return of === folder && Number(number) >= Number(first) && Number(number) <= Number(last);
      },
    };
  }
  if (ID.test(word)) {
    return {
      single: true,
      // `generic/035` also matches a file named 035-with-a-name.
      matches: (id) => id === word || (/\/\d{3,}$/.test(word) && id.startsWith(`${word}-`)),
    };
  }
  if (!PATTERN.test(word)) return undefined;
  const expression = word
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  try {
    const compiled = new RegExp(`^${expression}$`);
    return { single: false, matches: (id) => compiled.test(id) };
  } catch {
    return undefined;
  }
}

/** Tests in the order given; those of a group or range in the suite's order. Each appears once. */
export function chooseTests<Test extends Choosable>(
  all: readonly Test[],
  { ids, groups }: Choice,
  suite: string,
): Outcome<Test[]> {
  const chosen = new Set<Test>();
  for (const word of ids) {
    const found = matcher(word);
    const tests = found ? all.filter(({ id }) => found.matches(id)) : [];
    if (tests.length === 0) return unknown(word, all, suite);
    for (const test of tests) chosen.add(test);
  }
  for (const group of groups.flatMap((names) => names.split(','))) {
    const tests = all.filter((test) => isMember(test, group));
    if (tests.length === 0) return unknownGroup(group, all, suite);
    for (const test of tests) chosen.add(test);
  }
  return success([...chosen]);
}

function isMember({ id, groups }: Choosable, group: string): boolean {
  const [, folder, name] = /^([^/]+)\/([^/]+)$/.exec(group) ?? [undefined, undefined, group];
  if (folder !== undefined && !id.startsWith(`${folder}/`)) return false;
  return name === 'all' || groups.includes(name as string);
}

function unknown(word: string, all: readonly Choosable[], suite: string) {
  const message = `${suite} has no test ${JSON.stringify(word)} for this file system`;
  if (all.some(({ groups }) => groups.includes(word))) {
    return failure('usage', message, `This is a group: select it with \`-g ${word}\``);
  }
  const near = nearest(
    word,
    all.map(({ id }) => id),
  );
  return failure(
    'usage',
    message,
    near.length > 0
      ? `Did you mean ${near.join(' or ')}? \`daxrepro list --suite DIR FS\` shows all tests`
      : 'Name a test (generic/002), a range (generic/001-010) or a pattern (generic/0*)',
  );
}

function unknownGroup(group: string, all: readonly Choosable[], suite: string) {
  const known = [...new Set(all.flatMap(({ groups }) => groups))].sort();
  const near = nearest(group, known);
  return failure(
    'usage',
    `${suite} has no group ${JSON.stringify(group)} for this file system`,
    near.length > 0
      ? `Did you mean ${near.join(' or ')}? \`daxrepro list --suite DIR FS\` shows all groups`
      : `The groups are ${known.join(', ')}`,
  );
}

/** A word that leaves tests out, and its place. */
export interface Exclusion {
  word: string;
  place?: Place;
}

/** The remaining tests. */
export function leaveOut<Test extends Choosable>(
  tests: readonly Test[],
  exclusions: readonly Exclusion[],
  groups: readonly string[],
): Outcome<Test[]> {
  const matchers: Matcher[] = [];
  for (const { word, place } of exclusions) {
    const found = matcher(word);
    if (!found) {
      return failure(
        'usage',
        `--exclude ${word}: this is not a test, range or pattern`,
        'Give a test such as generic/475, a range (generic/001-010) or a pattern (xfs/5*)',
        place ? { place } : {},
      );
    }
    matchers.push(found.matches);
  }
  const names = groups.flatMap((list) => list.split(','));
  return success(
    tests.filter(
      (test) =>
        !matchers.some((matches) => matches(test.id)) &&
        !names.some((group) => isMember(test, group)),
    ),
  );
}

/** Whether a word matches this test; false if the word has no valid form. */
export function means(word: string, id: string): boolean {
  return matcher(word)?.matches(id) ?? false;
}

/** Whether a word has the form of a test, range or pattern. */
export function isTestWord(word: string): boolean {
  return matcher(word) !== undefined;
}
