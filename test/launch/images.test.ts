import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ImageBudget, ImageKeeper } from '../../cli/launch/images.js';

// A guest may send anything for an image: it gets no more than the device and the budget.

const PAGE = new Uint8Array(4096).fill(7);

function keeper(t: Test, { deviceSize = 1 << 20, budget = new ImageBudget(1 << 20) } = {}) {
  const directory = t.testdir();
  return { directory, budget, images: new ImageKeeper(directory, deviceSize, budget) };
}

t.test('accepts pieces in any order', async (t) => {
  const { directory, budget, images } = keeper(t);
  images.piece({ name: 'image-test', data: PAGE, offset: 8192 });
  images.piece({ name: 'image-test', data: PAGE, offset: 0 });
  images.end('image-test', '/dev/pmem0', true);
  const [kept] = await images.pack();
  t.match(kept, { device: '/dev/pmem0', file: 'image-test.tar.gz' });
  t.strictSame(readdirSync(directory), ['image-test.tar.gz']);
  t.equal(budget.left, (1 << 20) - (kept?.bytes ?? 0), 'the final size counts against the budget');
});

t.test('takes no byte beyond the device or the budget', async (t) => {
  const { images } = keeper(t, { deviceSize: 4096 });
  images.piece({ name: 'image-test', data: PAGE, offset: 4095 });
  images.end('image-test', '/dev/pmem0', true);
  t.match(await images.pack(), [{ missing: /more than the device holds/, file: undefined }]);

  const small = keeper(t, { budget: new ImageBudget(8192) });
  for (let n = 0; n < 3; n += 1) {
    small.images.piece({ name: 'image-test', data: PAGE, offset: n * 4096 });
  }
  t.equal(small.budget.left, 8192, 'the space of a dropped image is free again');
  small.images.end('image-test', '/dev/pmem0', true);
  t.match(await small.images.pack(), [{ missing: /--keep-images/ }]);
  t.strictSame(readdirSync(small.directory), []);
});

t.test('keeps no image without an end, and never many', async (t) => {
  const { directory, budget, images } = keeper(t);
  for (let n = 0; n < 9; n += 1) images.piece({ name: `image-${n}`, data: PAGE, offset: 0 });
  t.equal(readdirSync(directory).length, 4);
  images.end('image-none', '/dev/pmem0', true);
  t.match(await images.pack(), [{ missing: /sent no image/ }]);
  t.strictSame(readdirSync(directory), []);
  t.equal(budget.left, 1 << 20);
});

t.test('does not fail the unit if its directory is gone', async (t) => {
  const images = new ImageKeeper(join(t.testdir(), 'gone'), 1 << 20, new ImageBudget(1 << 20));
  images.piece({ name: 'image-test', data: PAGE, offset: 0 });
  images.end('image-test', '/dev/pmem0', true);
  t.match(await images.pack(), [{ missing: /could not be written/ }]);
  t.notOk(existsSync(join(t.testdirName, 'gone')));
});
