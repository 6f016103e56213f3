import fc from 'fast-check';
import t from 'tap';
import { escapeForTerminal } from '../../cli/findings/escape.js';

t.test('lets no command through to the terminal', async (t) => {
  t.equal(escapeForTerminal('\x1b[2J\x07'), '\\x1b[2J\\x07');
  t.equal(escapeForTerminal('\x9b31m'), '\\x9b31m');
  t.equal(escapeForTerminal('a\u202eb\u2066\u200b'), 'a\\u{202e}b\\u{2066}\\u{200b}');
  t.equal(escapeForTerminal('one\ntwo\r\t\0'), 'one\\ntwo\\r\\t\\x00');
  t.equal(escapeForTerminal('\ud800 \u2028'), '\\u{d800} \\u{2028}');
});

t.test('keeps printable text', async (t) => {
  const text = 'Größe 大 é — 😀 \\x1b';
  t.equal(escapeForTerminal(text), text);
});

t.test('escapes any text completely', async () => {
  const texts = fc.string({ unit: 'binary', maxLength: 100 });
  fc.assert(
    fc.property(texts, (text) => {
      const shown = escapeForTerminal(text);
      return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(shown) && escapeForTerminal(shown) === shown;
    }),
  );
});
