import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { failure, success } from '../../cli/outcome.js';
import { temporaryPlace, useWorkspace } from '../../cli/store/workspace.js';
import { startOther } from './other.js';

t.test('keeps the content, also after a failed build', async (t) => {
  const store = { root: t.testdir() };
  const first = await useWorkspace(store, 'shops', 'one', async (directory) => {
    await writeFile(join(directory, 'object'), '');
    return failure('build-failed', 'It does not build', 'Mend it');
  });
  t.match(first, { failure: { message: 'It does not build' } });
  const second = await useWorkspace(store, 'shops', 'one', async (directory) =>
    success(readdirSync(directory)),
  );
  t.strictSame(second, success(['object']));
});

t.test('starts over if its user was killed or cut off', async (t) => {
  const store = { root: t.testdir() };
  const other = startOther(t, 'work', store.root);
  t.equal(await other.line(), 'works');
  await other.kill();
  t.ok(existsSync(join(store.root, 'shops/one/half')));
  const list = async (directory: string) => success(readdirSync(directory));
  t.strictSame(await useWorkspace(store, 'shops', 'one', list), success([]));

  await useWorkspace(store, 'shops', 'one', async (directory) => {
    await writeFile(join(directory, 'half'), '');
    return failure('interrupted', 'Interrupted', 'Start it again');
  });
  t.strictSame(await useWorkspace(store, 'shops', 'one', list), success([]));
});

t.test('has one user at a time', async (t) => {
  const store = { root: t.testdir() };
  let inside = 0;
  const use = () =>
    useWorkspace(store, 'shops', 'one', async () => {
      inside += 1;
      t.equal(inside, 1);
      await new Promise((done) => setTimeout(done, 50));
      inside -= 1;
      return success(undefined);
    });
  await Promise.all([use(), use(), use()]);
});

t.test('has a place for temporary files, empty for each use', async (t) => {
  const workspace = t.testdir();
  const place = await temporaryPlace(workspace);
  await mkdir(join(place, 'deep'));
  await writeFile(join(place, 'deep/cc.s'), 'of a compiler that was killed');
  t.equal(await temporaryPlace(workspace), place);
  t.strictSame(readdirSync(workspace), ['tmp']);
  t.strictSame(readdirSync(place), []);
});
