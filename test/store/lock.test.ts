import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acquireLock, tryLock } from '../../cli/store/lock.js';
import { startOther } from './other.js';

t.test('excludes everybody with an exclusive lock until it is released', async (t) => {
  const file = join(t.testdir(), 'lock');
  const first = await acquireLock(file);
  t.equal(await tryLock(file), undefined);
  let waits = 0;
  const onWait = () => {
    waits += 1;
  };
  const second = acquireLock(file, { onWait });
  const shared = acquireLock(file, { mode: 'shared' });
  const early = await Promise.race([second, new Promise((done) => setTimeout(done, 200, 'none'))]);
  t.equal(early, 'none');
  t.equal(waits, 1);
  first.release();
  (await second).release();
  (await shared).release();
});

t.test('shares shared locks, which exclude an exclusive one', async (t) => {
  const file = join(t.testdir(), 'lock');
  const locks = [
    await acquireLock(file, { mode: 'shared' }),
    await acquireLock(file, { mode: 'shared' }),
  ];
  t.equal(await tryLock(file), undefined);
  for (const lock of locks) lock.release();
  const alone = await tryLock(file);
  t.ok(alone);
  alone?.release();
});

t.test("frees a killed process's lock at once", async (t) => {
  const file = join(t.testdir(), 'lock');
  const other = startOther(t, 'lock', file);
  t.equal(await other.line(), 'holds');
  t.equal(await tryLock(file), undefined);
  const lock = acquireLock(file);
  await other.kill();
  (await lock).release();
});

t.test('leaves nothing waiting when a waiting process is killed', async (t) => {
  const file = join(t.testdir(), 'lock');
  const first = await acquireLock(file);
  const other = startOther(t, 'lock', file);
  t.equal(await other.line(), 'waits');
  await other.kill();
  first.release();
  const second = await tryLock(file);
  t.ok(second);
  second?.release();
});

t.test('does not accept a lock on a file that was removed meanwhile', async (t) => {
  const file = join(t.testdir(), 'lock');
  const remover = await acquireLock(file);
  const waiting = acquireLock(file);
  await new Promise((done) => setTimeout(done, 100));
  rmSync(file);
  remover.release();
  const lock = await waiting;
  // On the current file: nobody else gets it.
  t.equal(await tryLock(file), undefined);
  lock.release();
});

t.test('passes errors of the file system on', async (t) => {
  await t.rejects(acquireLock(join(t.testdir(), 'no/lock')), { code: 'ENOENT' });
});
