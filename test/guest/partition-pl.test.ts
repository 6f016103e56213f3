import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';

/** guest-scripts/lib/partition.pl on a plain file, which has neither sectors nor a kernel that reads it. */

const PROGRAM = readFileSync(
  fileURLToPath(new URL('../../guest-scripts/lib/partition.pl', import.meta.url)),
  'utf8',
);

function partitioned(t: Test, bytes: number, count = 1): Buffer {
  const directory = t.testdir({ device: '' });
  const device = join(directory, 'device');
  truncateSync(device, bytes);
  const ioctls = `BEGIN {
    *CORE::GLOBAL::ioctl = sub (*$$) { $_[2] = pack 'L', 512 if $_[1] == 0x1268; return '0 but true' };
  }\n`;
  writeFileSync(
    join(directory, 'partition.pl'),
    ioctls + PROGRAM.replace('ioctl $disk, BLKRRPART, 0', '1'),
  );
  execFileSync('perl', [join(directory, 'partition.pl'), device, '4096', String(count)], {
    stdio: 'pipe',
  });
  return readFileSync(device);
}

const SECTOR = 512;

t.test('writes two tables with one partition, as the UEFI specification has them', async (t) => {
  const sectors = 64 * 2048;
  const disk = partitioned(t, sectors * SECTOR);
  t.equal(disk.readUInt16LE(510), 0xaa55);
  t.equal(disk[450], 0xee, 'a protective partition');
  t.strictSame([disk.readUInt32LE(454), disk.readUInt32LE(458)], [1, sectors - 1]);
  for (const [here, other, table] of [
    [1, sectors - 1, 2],
    [sectors - 1, 1, sectors - 33],
  ] as const) {
    const header = disk.subarray(here * SECTOR, here * SECTOR + 92);
    t.equal(header.toString('latin1', 0, 8), 'EFI PART');
    const numbers = [24, 32, 72].map((at) => Number(header.readBigUInt64LE(at)));
    t.strictSame(numbers, [here, other, table]);
    const blank = Buffer.from(header);
    blank.writeUInt32LE(0, 16);
    t.equal(header.readUInt32LE(16), crc32(blank), 'the sum of the header');
    const entries = disk.subarray(table * SECTOR, table * SECTOR + 128 * 128);
    t.equal(header.readUInt32LE(88), crc32(entries), 'the sum of the table');
    const [first, last] = [32, 40].map((at) => Number(entries.readBigUInt64LE(at)));
    t.strictSame([first, ((last ?? 0) + 1) % 8], [4096, 0], 'whole pages');
    t.ok((last ?? 0) < sectors - 33, 'before the second table');
    t.ok(entries.subarray(128).every((byte) => byte === 0));
  }
});

t.test('several partitions are equal, and begin where huge pages do', async (t) => {
  const disk = partitioned(t, 65 * 2 ** 20, 2);
  const sectorsOf = (number: number) =>
    [32, 40].map((at) => Number(disk.readBigUInt64LE(2 * SECTOR + 128 * number + at)));
  t.strictSame(
    [sectorsOf(0), sectorsOf(1)],
    [
      [4096, 65_535],
      [65_536, 126_975],
    ],
  );
  t.equal(disk.readBigUInt64LE(2 * SECTOR + 256 + 32), 0n);
  t.throws(() => partitioned(t, 6 * 2 ** 20 - 512, 2), /no room for a partition/);
});

t.test('refuses a device without room', async (t) => {
  t.throws(() => partitioned(t, 2 * 2 ** 20), /no room for a partition/);
});
