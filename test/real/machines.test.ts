import t from 'tap';
import { daxrepro, describe, runJson } from './daxrepro.js';

// Every kind of persistent memory gives DAX to every file system; other devices do not pass as one.
t.setTimeout(30 * 60 * 1000);

for (const pmem of ['nvdimm', 'virtio-pmem'] as const) {
  for (const fs of ['ext2', 'ext4', 'xfs'] as const) {
    t.test(`${fs} on ${pmem}`, async (t) => {
      const tests = ['generic/002', 'dax/mmap-fsync', 'dax/scratch'];
      const words = [fs, ...tests, '--pmem', pmem, '--jobs', '1'];
      const { result, exitCode } = await runJson(words, t.testdir());
      t.equal(exitCode, 0, describe(result));
      for (const unit of result.units) {
        const expected = { verdict: 'pass', cloned: true, pmem, dax: { proven: true, driver: fs } };
        t.match(unit, expected, unit.test);
      }
    });
  }
}

t.test('puts partitions and device mapper below the file systems, and proves them', async (t) => {
  for (const [fs, options, kinds] of [
    ['ext4', ['--partition', '--stack', 'linear'], ['device-mapper', 'partition', 'disk']],
    ['xfs', ['--stack', 'stripe'], ['device-mapper', 'partition', 'disk']],
    ['ext2', ['--stack', 'log-writes'], ['device-mapper', 'disk']],
  ] as const) {
    const words = [fs, 'generic/002', 'dax/scratch', ...options, '--jobs', '1'];
    const { result, exitCode } = await runJson(words, t.testdir());
    t.equal(exitCode, 0, describe(result));
    for (const { verdict, dax } of result.units) {
      t.match({ verdict, dax }, { verdict: 'pass', dax: { proven: true, driver: fs } });
      const layers = dax.looks.map((look) => look.layers?.map(({ kind }) => kind));
      t.ok(layers.length > 0);
      for (const seen of layers) t.strictSame(seen, kinds, `${fs} ${options.join(' ')}`);
    }
  }
});

t.test('says that bytes were poisoned', async (t) => {
  const words = ['ext4', 'generic/002', '--poison', '200M+4K'];
  const { result, exitCode } = await runJson(words, t.testdir());
  t.equal(exitCode, 0, describe(result));
  t.match(result.units[0]?.reason, /poison/);
});

t.test('examines damage on each of them before any repair', async (t) => {
  for (const [fs, pmem, ...more] of [
    ['ext2', 'nvdimm'],
    ['xfs', 'virtio-pmem'],
    ['ext4', 'none', '--control'],
  ] as const) {
    const place = t.testdir();
    const words = [fs, 'selftest/corrupt', '--pmem', pmem, ...more];
    const { result, exitCode } = await runJson(words, place);
    t.equal(exitCode, 1, describe(result));
    const device = pmem === 'none' ? '/dev/vda' : '/dev/pmem0';
    const image = { device, file: /image-test\.tar\.gz$/, bytes: Number };
    t.match(
      result.units[0],
      { images: [image], unwritten: { known: true, inodes: { length: 0 } } },
      pmem,
    );
    // The damage of xfs is a wrong count in the superblock.
    const evidence = { device, inodeType: 'directory', path: '/damaged', block: { zeros: false } };
    if (fs !== 'xfs') t.match(result.units[0]?.findings, [{ evidence }], pmem);
  }
});

t.test('places devices above 4 GiB', async (t) => {
  const { result, exitCode } = await runJson(['ext4', 'generic/002', '--size', '3G'], t.testdir());
  t.equal(exitCode, 0, describe(result));
});

t.test('gives no pass to a device without DAX', async (t) => {
  for (const fs of ['ext2', 'ext4', 'xfs']) {
    const ran = await runJson([fs, 'generic/002', '--pmem', 'none'], t.testdir());
    t.equal(ran.exitCode, 3, fs);
    t.match(ran.result.units[0], { verdict: 'invalid', dax: { proven: false } }, fs);
    t.match(ran.stderr, /--control/, 'the reason says how to request it');
  }
  const control = await runJson(
    ['ext2', 'generic/002', '--pmem', 'none', '--control'],
    t.testdir(),
  );
  t.equal(control.exitCode, 0, 'accepts it on request');
  t.match(control.result.units[0], { verdict: 'pass', control: true, dax: { proven: false } });
});

t.test("quotes the kernel's message about blocks smaller than a page", async (t) => {
  const words = ['ext2', 'generic/002', '--mkfs-opts', '-b 1024'];
  const { result, exitCode } = await runJson(words, t.testdir());
  t.equal(exitCode, 3);
  t.equal(result.verdict, 'invalid');
  t.match(result.units[0]?.reason, /unsupported blocksize for DAX/);
});

t.test('the text summary', async (t) => {
  const { stdout } = await daxrepro(['run', 'ext2', 'generic/002'], t.testdir());
  for (const part of [/^PASS +ext2 generic\/002/, /6\.1\.0/, /driver +ext2/, /DAX +proven by/]) {
    t.match(stdout, part);
  }
});
