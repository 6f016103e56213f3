import t from 'tap';
import { firstCharacters } from '../../cli/findings/first-characters.js';
import { RULES, recognize } from '../../cli/findings/kernel-grammar.js';
import { linesOf, readTable } from '../kernel-messages/table.js';

t.test('finds the characters with which a match can begin', async (t) => {
  for (const [pattern, expected] of [
    [/^BUG: (?<what>.*)/, 'B'],
    [/^(?:rcu: )?INFO: /, 'rI'],
    [/^(?<what>a|b(?:c|d)|\[e)/, 'ab['],
    [/^ *(?:x|\d)/, ' x0123456789'],
    [/^[Ss]oft/, 'Ss'],
    [/^\*\* /, '*'],
    [/^a{0,3}b/, 'ab'],
  ] as const) {
    t.strictSame(firstCharacters(pattern), new Set(expected), pattern.source);
  }
  for (const pattern of [
    /BUG/,
    /^.*BUG/,
    /^\w+: /,
    /^[^a]/,
    /^(?!a)b/,
    /^a|b/,
    /^bug/i,
    /^(?:a|\S)/,
  ]) {
    t.equal(firstCharacters(pattern), undefined, pattern.source);
  }
});

t.test('skips no rule because of its first character or required text', async (t) => {
  const lines = readTable().flatMap(linesOf);
  const wrong = lines.filter(
    (line) => recognize(line, true)?.rule !== RULES.find(({ pattern }) => pattern.test(line)),
  );
  t.strictSame(wrong, []);
});
