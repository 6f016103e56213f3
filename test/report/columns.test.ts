import fc from 'fast-check';
import t from 'tap';
import { alignColumns, padText, textWidth } from '../../cli/columns.js';
import { breakLine, cut, wrapText } from '../../cli/report/wrap.js';

/** The width of text on a terminal. */

const WIDE = '文件系统';
const COMBINED = 'e\u0301';
const FAMILY = '👨‍👩‍👧';

t.test('measures the width of text in columns', async (t) => {
  t.equal(textWidth('dax'), 3);
  t.equal(textWidth(WIDE), 8, 'two each');
  t.equal(textWidth(COMBINED), 1, 'a letter and its accent');
  t.equal(textWidth(FAMILY), 2, 'one picture made of five code points');
});

t.test('pads text', async (t) => {
  t.equal(padText(WIDE, 10), `${WIDE}  `);
  t.equal(padText('longer', 3), 'longer');
});

t.test('breaks text into pieces', async (t) => {
  t.strictSame(breakLine('abcde', 2), ['ab', 'cd', 'e']);
  t.strictSame(breakLine(WIDE, 5), ['文件', '系统'], 'half of a character fits nowhere');
  t.strictSame(breakLine(`a${FAMILY}b`, 2), ['a', FAMILY, 'b'], 'none is taken apart');
  t.strictSame(breakLine(WIDE, 1), [...WIDE], 'what is too wide stands alone');
  t.strictSame(breakLine('', 5), ['']);
});

t.test('cuts text', async (t) => {
  t.equal(cut('abc', 3), 'abc');
  t.equal(cut('abcd', 3), 'ab…');
  t.equal(cut(WIDE, 8), WIDE);
  t.equal(cut(WIDE, 7), '文件系…');
  t.equal(cut(WIDE, 6), '文件…', 'a column is left, and no half of a character is in it');
  t.equal(cut(WIDE, 2), '…');
});

t.test('aligns cells in columns', async (t) => {
  t.strictSame(alignColumns([]), []);
  const rows = [
    ['ext2', WIDE, 'one'],
    ['xfs', 'dax', 'two'],
  ];
  t.strictSame(alignColumns(rows), [`ext2  ${WIDE}  one`, 'xfs   dax       two']);
});

/** Letters of one and two columns, and blanks. None of them changes the width of its neighbours. */
const texts = fc.string({ unit: fc.constantFrom(...'ab c-é…漢字한'), maxLength: 60 });

t.test('loses no text and exceeds no width, for any text', async () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 2, max: 30 }), (text, width) => {
      const broken = breakLine(text, width);
      return broken.join('') === text && broken.every((piece) => textWidth(piece) <= width);
    }),
  );
  fc.assert(
    fc.property(texts, fc.integer({ min: 2, max: 30 }), (text, width) => {
      const shown = cut(text, width);
      if (textWidth(text) <= width) return shown === text;
      return (
        textWidth(shown) <= width && shown.endsWith('…') && text.startsWith(shown.slice(0, -1))
      );
    }),
  );
  fc.assert(
    fc.property(texts, fc.integer({ min: 2, max: 30 }), (text, width) =>
      wrapText(text, width).every((line) => textWidth(line) <= width),
    ),
  );
});
