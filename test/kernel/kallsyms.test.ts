import t from 'tap';
import { readKallsyms } from '../../cli/kernel/kallsyms.js';

/** Tables as scripts/kallsyms.c of Linux writes them. */

const TEXT = 0xffffffff81000000n;
const RODATA = 0xffffffff82000000n;
/** A name of 200 characters has a length of two bytes. */
const LONG = `t${'long_name_'.repeat(20)}`;

/** More than 256, so that there are two markers; the first is at the kernel's text. */
const SYMBOLS = Array.from({ length: 300 }, (_, index) => ({
  address: TEXT + BigInt(index * 64),
  text: index === 7 ? LONG : `Tfunction_${index}`,
}));
const EXPECTED = SYMBOLS.map(({ address, text }) => ({
  address,
  type: text[0],
  name: text.slice(1),
}));

const u32 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeInt32LE(value | 0, index * 4);
  });
  return bytes;
};
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};

/** Token 1 stands for `function_`; printable characters stand for themselves, others for nothing. */
function tokens(align: number): { table: Buffer; index: Buffer } {
  const texts = Array.from({ length: 256 }, (_, token) =>
    token === 1 ? 'function_' : token >= 32 && token < 127 ? String.fromCharCode(token) : '~~',
  );
  const table = Buffer.from(texts.map((text) => `${text}\0`).join(''), 'latin1');
  const index = Buffer.alloc(512);
  let at = 0;
  texts.forEach((text, token) => {
    index.writeUInt16LE(at, token * 2);
    at += text.length + 1;
  });
  return { table: pad(table, align), index };
}

const pad = (bytes: Buffer, to: number) =>
  Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);

function names(): { bytes: Buffer; markers: Buffer } {
  const parts: Buffer[] = [];
  const markers: number[] = [];
  let at = 0;
  SYMBOLS.forEach(({ text }, index) => {
    if (index % 256 === 0) markers.push(at);
    const [head = '', tail = ''] = text.startsWith('Tfunction_')
      ? ['T\x01', text.slice(10)]
      : [text];
    const token = Buffer.from(head + tail, 'latin1');
    const length =
      token.length < 128 ? [token.length] : [128 | (token.length & 127), token.length >> 7];
    const part = Buffer.concat([Buffer.from(length), token]);
    parts.push(part);
    at += part.length;
  });
  return { bytes: Buffer.concat(parts), markers: u32(...markers) };
}

const NOISE = Buffer.from('0123456789\0'.repeat(80), 'latin1');
const count = u32(SYMBOLS.length);

/** @param seqs whether an order of the names follows the markers (6.2, and 6.1 of Debian) */
function early(seqs: boolean, changed = (offsets: number[]) => offsets): Buffer {
  const offsets = changed(SYMBOLS.map(({ address }) => -1 - Number(address - TEXT)));
  const { table, index } = tokens(8);
  const { bytes, markers } = names();
  return Buffer.concat([
    ...[NOISE, pad(u32(...offsets), 8), u64(TEXT), pad(count, 8), pad(bytes, 8), pad(markers, 8)],
    ...(seqs ? [pad(Buffer.alloc(SYMBOLS.length * 3, 0x51), 8)] : []),
    ...[table, index, NOISE],
  ]);
}

/** @param place whether offsets count from their own places (since 7.0), and not from a base */
function late(align: number, place: boolean): Buffer {
  const { table, index } = tokens(align);
  const { bytes, markers } = names();
  const before = Buffer.concat([
    ...[pad(NOISE, 8), pad(count, align), pad(bytes, align), pad(markers, align), table, index],
  ]);
  const offsets = SYMBOLS.map(({ address }, position) => {
    const from = place ? RODATA + BigInt(before.length + 4 * position) : TEXT;
    return Number(address - from);
  });
  const after = pad(u32(...offsets), align);
  return Buffer.concat([before, after, ...(place ? [] : [u64(TEXT)]), NOISE]);
}

t.test('reads the symbols of kernels of every time', async (t) => {
  t.strictSame(readKallsyms(early(false), RODATA), EXPECTED, '6.1');
  t.strictSame(readKallsyms(early(true), RODATA), EXPECTED, 'with an order of the names');
  t.strictSame(readKallsyms(late(8, false), RODATA), EXPECTED, '6.12');
  t.strictSame(readKallsyms(late(4, true), RODATA), EXPECTED, '7.2');
});

t.test('takes offsets of variables of each CPU as addresses', async (t) => {
  const [first, second] =
    readKallsyms(
      early(false, ([one = 0, , ...rest]) => [one, 0x1fb80, ...rest]),
      RODATA,
    ) ?? [];
  t.equal(first?.address, TEXT);
  t.equal(second?.address, 0x1fb80n);
});

t.test('finds no table in other data, or in a damaged one', async (t) => {
  t.equal(readKallsyms(Buffer.alloc(0), RODATA), undefined);
  t.equal(readKallsyms(NOISE, RODATA), undefined);
  const whole = late(4, true);
  for (const end of [whole.length - NOISE.length - 4, whole.length / 2, 900]) {
    t.equal(readKallsyms(whole.subarray(0, end), RODATA), undefined, String(end));
  }
});
