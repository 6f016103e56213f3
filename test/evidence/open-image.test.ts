import { closeSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openImage } from '../../cli/evidence/open-image.js';
import { ImageBudget, ImageKeeper } from '../../cli/launch/images.js';
import { runTool } from '../../cli/process/child.js';

const left = () => readdirSync(tmpdir()).filter((name) => /^daxrepro-[A-Za-z0-9]{6}$/.test(name));

t.test('an image that was kept is what it was', async (t) => {
  const directory = t.testdir();
  const before = left();
  const images = new ImageKeeper(directory, 1 << 24, new ImageBudget(1 << 20));
  images.piece({ name: 'image-test', data: new Uint8Array(4096).fill(7), offset: 8192 });
  images.end('image-test', '/dev/pmem0', true);
  await images.pack();
  const opened = await openImage(join(directory, 'image-test.tar.gz'));
  if (!opened.ok) throw new Error(opened.failure.message);
  const { descriptor, size } = opened.value;
  t.equal(size, 1 << 24);
  const bytes = Buffer.alloc(1 << 24);
  readSync(descriptor, bytes, 0, bytes.length, 0);
  closeSync(descriptor);
  const expected = Buffer.alloc(1 << 24).fill(7, 8192, 8192 + 4096);
  t.ok(bytes.equals(expected));
  t.strictSame(
    left().filter((name) => !before.includes(name)),
    [],
    'nothing is left',
  );
});

t.test('a raw one is taken as it is', async (t) => {
  const file = join(t.testdir(), 'disk.raw');
  writeFileSync(file, 'abc');
  const opened = await openImage(file);
  t.match(opened, { ok: true, value: { size: 3 } });
  if (opened.ok) closeSync(opened.value.descriptor);
});

t.test('what is none is refused', async (t) => {
  const directory = t.testdir({ empty: '', two: { a: 'a', b: 'b' } });
  const archive = join(directory, 'two.tar.gz');
  await runTool(['bsdtar', '-czf', archive, '-C', join(directory, 'two'), 'a', 'b']);
  const gzip = join(directory, 'broken.tar.gz');
  writeFileSync(gzip, Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]));
  for (const file of ['none', 'empty', 'two', archive, gzip]) {
    t.match(
      await openImage(join(directory, file.replace(directory, ''))),
      { ok: false, failure: { kind: 'unreadable', place: { file: /./ } } },
      file,
    );
  }
});
