import t from 'tap';
import { Btf } from '../../cli/kernel/btf.js';

/** Type information as pahole(1) writes it. */

const strings = ['', 'task', 'comm', 'flags', 'pid', 'u32', 'outer', 'inner', 'array_of'];
const TEXT = Buffer.from(`${strings.join('\0')}\0`, 'latin1');
const at = (text: string) => TEXT.indexOf(`\0${text}\0`) + 1;

const words = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value >>> 0, index * 4);
  });
  return bytes;
};
const type = (name: number, kind: number, parts: number, size: number, flag = 0) =>
  words(name, (kind << 24) | parts | (flag << 31), size);

const TYPES = Buffer.concat([
  // 1: u32
  ...[type(at('u32'), 1, 0, 4), words(32)],
  // 2: u32[4]
  ...[type(0, 3, 0, 0), words(1, 1, 4)],
  // 3: an enumeration, to be skipped
  ...[type(0, 6, 2, 4), words(0, 1, 0, 2)],
  // 4: a union without a name: comm at 0
  ...[type(0, 5, 1, 16), words(at('comm'), 2, 0)],
  // 5: struct task { u32 flags : 3 at bit 0; u32 pid at 8; union at 16 }
  ...[
    type(at('task'), 4, 3, 32, 1),
    words(at('flags'), 1, (3 << 24) | 1, at('pid'), 1, 64, 0, 4, 128),
  ],
  // 6: struct outer { task inner at 8; task array_of[] at 40 }
  ...[type(at('outer'), 4, 2, 72), words(at('inner'), 7, 64, at('array_of'), 8, 320)],
  // 7: const task, 8: task[1]
  ...[type(0, 10, 0, 5), type(0, 3, 0, 0), words(5, 1, 1)],
]);

function section(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(0, 8);
  header.writeUInt32LE(TYPES.length, 12);
  header.writeUInt32LE(TYPES.length, 16);
  header.writeUInt32LE(TEXT.length, 20);
  return Buffer.concat([header, TYPES, TEXT]);
}

t.test('finds members, through members without a name, qualifiers and arrays', async (t) => {
  const btf = Btf.read(section());
  t.equal(btf?.offsetOf('task', 'pid'), 8);
  t.equal(btf?.offsetOf('task', 'comm'), 16);
  t.equal(btf?.offsetOf('outer', 'inner', 'pid'), 16);
  t.equal(btf?.offsetOf('outer', 'array_of', 'comm'), 56);
  t.equal(btf?.sizeOf('task'), 32);
  t.equal(btf?.offsetOf('task', 'flags'), undefined, 'a bit field has no offset in bytes');
  t.equal(btf?.offsetOf('task', 'nothing'), undefined);
  t.equal(btf?.offsetOf('nothing', 'pid'), undefined);
});

t.test('rejects other data', async (t) => {
  t.equal(Btf.read(undefined), undefined);
  t.equal(Btf.read(Buffer.alloc(100)), undefined);
  t.equal(Btf.read(section().subarray(0, 60)), undefined);
});
