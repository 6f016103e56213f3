import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { extractVmlinux } from '../../cli/kernel/boot-image.js';
import { makeBzImage, makeVmlinux, pack } from './fixtures.js';

const RELEASE = '6.1.0-1-test';
const VMLINUX = makeVmlinux(RELEASE);

async function extract(t: import('tap').Test, image: Buffer) {
  const directory = t.testdir();
  writeFileSync(join(directory, 'bzImage'), image);
  const output = join(directory, 'vmlinux');
  const outcome = await extractVmlinux(join(directory, 'bzImage'), output);
  t.ok(outcome.ok);
  const found = existsSync(output) ? readFileSync(output) : undefined;
  t.strictSame(readdirSync(directory).sort(), found ? ['bzImage', 'vmlinux'] : ['bzImage']);
  return found;
}

t.test('unpacks xz, as Debian compresses it, with the size appended', async (t) => {
  const payload = pack(VMLINUX, 'xz', '--check=crc32', '--x86', '--lzma2');
  t.strictSame(await extract(t, makeBzImage(RELEASE, payload)), VMLINUX);
});

t.test('unpacks gzip, which ends with the size itself', async (t) => {
  t.strictSame(await extract(t, makeBzImage(RELEASE, gzipSync(VMLINUX))), VMLINUX);
});

for (const [program, ...options] of [
  ['zstd', '-q'],
  ['lz4', '-l'],
  ['bzip2'],
  ['xz', '--format=lzma'],
] as const) {
  t.test([program, ...options].join(' '), async (t) => {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
    } catch {
      t.comment(`skipped: this machine has no ${program}`);
      return;
    }
    const payload = pack(VMLINUX, program, ...options);
    t.strictSame(await extract(t, makeBzImage(RELEASE, payload)), VMLINUX);
  });
}

t.test('keeps the bzImage if QEMU cannot enter its vmlinux', async (t) => {
  const noEntry = gzipSync(makeVmlinux(RELEASE, []));
  t.equal(await extract(t, makeBzImage(RELEASE, noEntry)), undefined);
});

t.test('keeps a bzImage that is broken or compressed in an unknown way', async (t) => {
  t.equal(await extract(t, makeBzImage(RELEASE, Buffer.from('unknown way to pack'))), undefined);
  const broken = pack(VMLINUX, 'xz');
  broken.fill(0, 20, 60);
  t.equal(await extract(t, makeBzImage(RELEASE, broken)), undefined);
  const cut = makeBzImage(RELEASE, gzipSync(VMLINUX));
  t.equal(await extract(t, cut.subarray(0, cut.length - 200)), undefined);
});
