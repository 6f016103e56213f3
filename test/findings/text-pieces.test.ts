import { StringDecoder } from 'node:string_decoder';
import fc from 'fast-check';
import t from 'tap';
import { TextPieces } from '../../cli/findings/text-pieces.js';

/** Bytes of ASCII, of longer characters and of none, cut anywhere. */
const CHUNKS = fc.array(
  fc
    .array(
      fc.oneof(
        fc
          .constantFrom('a', 'pmem0: ', '\n', 'ü', '€', '😀', '\ufeff')
          .map((text) => [...Buffer.from(text)]),
        fc.uint8Array({ maxLength: 3 }).map((bytes) => [...bytes]),
      ),
      { maxLength: 6 },
    )
    .map((pieces) => Uint8Array.from(pieces.flat())),
  { maxLength: 8 },
);

t.test('the text is what StringDecoder makes of the bytes', async () => {
  fc.assert(
    fc.property(CHUNKS, (chunks) => {
      const decoder = new StringDecoder('utf8');
      const expected = chunks.map((chunk) => decoder.write(Buffer.from(chunk))).join('');
      const pieces = new TextPieces();
      const read = chunks.flatMap((chunk) => [...pieces.of(chunk)]).join('');
      return read === expected && pieces.end() === decoder.end();
    }),
    { numRuns: 2000 },
  );
});

t.test('a long chunk comes in pieces, whatever they cut', async (t) => {
  for (const text of ['x€😀'.repeat(60_000), 'x'.repeat(200_000)]) {
    for (const chunk of [text, Buffer.from(text), Uint8Array.from(Buffer.from(text))]) {
      const pieces = new TextPieces();
      const read = [...pieces.of(chunk)];
      t.ok(read.length > 1);
      t.ok(read.every(({ length }) => length <= 65_536));
      t.equal(read.join('') + pieces.end(), text);
    }
  }
});
