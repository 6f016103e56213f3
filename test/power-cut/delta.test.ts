import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { BrokenFile } from '../../cli/power-cut/broken-file.js';
import { readDelta } from '../../cli/power-cut/delta.js';

function record(range: number, offset: bigint, bytes: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(range, 0);
  header.writeUInt32LE(bytes.length, 4);
  header.writeBigUInt64LE(offset, 8);
  return Buffer.concat([header, bytes]);
}

const LINE = Buffer.alloc(64, 7);
const WHOLE = Buffer.concat([
  Buffer.from('DAXRCUT1'),
  record(0, 4096n, LINE),
  record(1, 1n << 33n, LINE),
  record(0xffffffff, 0n, Buffer.alloc(0)),
]);

async function read(path: string): Promise<unknown[]> {
  const records: unknown[] = [];
  for await (const one of readDelta(path)) records.push(one);
  return records;
}

async function isBroken(path: string): Promise<boolean> {
  return read(path).then(
    () => false,
    (error: Error) => error instanceof BrokenFile && error.message.startsWith(path),
  );
}

t.test('a delta is read, and one that is cut at any byte is not taken for whole', async (t) => {
  const path = join(t.testdir(), 'cut-000001.medium');
  writeFileSync(path, WHOLE);
  t.match(await read(path), [
    { range: 0, offset: 4096, bytes: LINE },
    { range: 1, offset: 2 ** 33, bytes: LINE },
  ]);
  const taken: number[] = [];
  for (let length = 0; length < WHOLE.length; length += 1) {
    writeFileSync(path, WHOLE.subarray(0, length));
    if (!(await isBroken(path))) taken.push(length);
  }
  t.same(taken, []);
});

t.test('what is no delta is said to be none', async (t) => {
  const path = join(t.testdir(), 'cut-000001.medium');
  for (const bytes of [
    Buffer.from('DAXRCUT2'.repeat(8)),
    Buffer.concat([Buffer.from('DAXRCUT1'), record(0, 0n, Buffer.alloc(2 ** 20 + 1))]),
  ]) {
    writeFileSync(path, bytes);
    t.ok(await isBroken(path));
  }
});
