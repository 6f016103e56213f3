import t from 'tap';
import { encodeFrame, FrameReader, sizeFrame } from '../../cli/shell/frames.js';

t.test('reassembles frames that are cut at any byte', async (t) => {
  const bytes = Buffer.concat([
    encodeFrame('o', Buffer.from('output')),
    encodeFrame('b'),
    encodeFrame('x', Buffer.from([0, 0, 0, 3])),
  ]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const reader = new FrameReader();
    const frames = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap(
      (piece) => reader.push(piece) ?? [],
    );
    t.strictSame(
      frames.map(({ letter, bytes }) => [letter, bytes.toString('latin1')]),
      [
        ['o', 'output'],
        ['b', ''],
        ['x', '\0\0\0\x03'],
      ],
    );
  }
});

t.test('rejects a frame that is too long', async (t) => {
  const head = Buffer.from('o\xff\xff\xff\xff', 'latin1');
  t.equal(new FrameReader().push(head), undefined);
});

t.test('encodes the size of the window', async (t) => {
  t.strictSame([...sizeFrame({ rows: 300, columns: 80 })].slice(5), [1, 44, 0, 80]);
  t.strictSame([...sizeFrame({})].slice(5), [0, 24, 0, 80]);
});
