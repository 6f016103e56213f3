import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { makeRunDirectory } from '../../cli/results/run-directory.js';

const UNIT = { fs: 'ext2', test: 'generic/002' } as const;
const STARTED = new Date('2026-02-03T04:05:06Z');

t.test('makes a directory per run, named by time, file system and test', async (t) => {
  const parent = join(t.testdir(), 'not/yet/there');
  const made = makeRunDirectory(parent, UNIT, STARTED);
  const directory = join(parent, `20260203-040506-ext2-generic-002-${process.pid}`);
  t.same(made, { ok: true, value: directory });
  t.ok(existsSync(directory));
});

t.test('reports a place where no directory can be made', async (t) => {
  const directory = t.testdir({ file: '' });
  for (const parent of [
    '/proc/nowhere/deeper',
    join(directory, 'file'),
    join(directory, 'file/x'),
  ]) {
    const made = makeRunDirectory(parent, UNIT, STARTED);
    t.match(made, { ok: false, failure: { kind: 'storage', message: parent } }, parent);
  }
});
