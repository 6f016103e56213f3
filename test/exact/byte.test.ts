import t from 'tap';
import { parseByte } from '../../cli/exact/byte.js';

t.test('reads addresses, blocks and files', async (t) => {
  const byte = (text: string) => {
    const parsed = parseByte(text);
    return parsed.ok ? parsed.value : parsed.failure.kind;
  };
  t.strictSame(byte('0x3f000000'), { kind: 'address', address: 0x3f000000n });
  t.strictSame(byte('0xffff888000001000'), { kind: 'address', address: 0xffff888000001000n });
  t.strictSame(byte('61440'), { kind: 'block', block: 61440, byte: 0 });
  t.strictSame(byte('61440:17'), { kind: 'block', block: 61440, byte: 17 });
  t.strictSame(byte('links:0'), { kind: 'file', file: 'links', offset: 0 });
  t.strictSame(byte('a:b/c d:4096'), { kind: 'file', file: 'a:b/c d', offset: 4096 });
  t.strictSame(byte('<8193>:0'), { kind: 'file', file: '<8193>', offset: 0 });
  for (const wrong of [
    '',
    'links',
    'links:',
    ':0',
    '0x',
    '0x7fff00000000000',
    'a"b:0',
    'a\nb:0',
    '-1',
  ]) {
    t.equal(byte(wrong), 'usage', wrong);
  }
});
