import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cleanStore } from '../../cli/store/clean.js';
import { startOther } from './other.js';

const everything = () => true;

/** A store as other processes left it: this one uses nothing in it. */
function makeStore(t: import('tap').Test, ...keys: string[]) {
  const root = t.testdir({ things: {} });
  for (const key of keys) {
    mkdirSync(join(root, 'things', key));
    writeFileSync(join(root, 'things', key, 'file'), 'x'.repeat(5000));
  }
  return { root };
}

t.test('removes the requested entries completely', async (t) => {
  const store = makeStore(t, 'old', 'new');
  utimesSync(join(store.root, 'things/old'), 1, 1);
  const cleaned = await cleanStore(store, ({ lastUsed }) => lastUsed.getTime() < 10_000);
  t.match(cleaned, {
    ok: true,
    value: { removed: [{ key: 'old' }], inUse: { length: 0 }, leftovers: { length: 0 } },
  });
  t.strictSame(readdirSync(join(store.root, 'things')), ['new']);
});

t.test('removes nothing in a dry run', async (t) => {
  const store = makeStore(t, 'one');
  mkdirSync(join(store.root, 'things/.two.making'));
  const cleaned = await cleanStore(store, everything, { dryRun: true });
  t.match(cleaned, { ok: true, value: { removed: [{ key: 'one' }], leftovers: [/two.making$/] } });
  t.ok(existsSync(join(store.root, 'things/one/file')));
  t.ok(existsSync(join(store.root, 'things/.two.making')));
});

t.test('keeps what another process uses, until that process ends', async (t) => {
  const store = makeStore(t, 'one');
  const other = startOther(t, 'use', store.root);
  t.equal(await other.line(), 'uses true');
  t.match(await cleanStore(store, everything), {
    ok: true,
    value: { removed: { length: 0 }, inUse: [{ key: 'one' }] },
  });
  t.ok(existsSync(join(store.root, 'things/one/file')));
  await other.kill();
  t.match(await cleanStore(store, everything), { ok: true, value: { removed: [{ key: 'one' }] } });
  t.strictSame(readdirSync(join(store.root, 'things')), []);
});

t.test('keeps what another process is making', async (t) => {
  const store = makeStore(t);
  const other = startOther(t, 'make', store.root);
  t.equal(await other.line(), 'makes');
  t.match(await cleanStore(store, everything), { ok: true, value: { leftovers: { length: 0 } } });
  t.ok(existsSync(join(store.root, 'things/.one.making')));
  await other.kill();
  t.match(await cleanStore(store, everything), {
    ok: true,
    value: { leftovers: [join(store.root, 'things/.one.making')] },
  });
  t.strictSame(readdirSync(join(store.root, 'things')), []);
});

t.test('removes the leftovers of a killed cleaner', async (t) => {
  const store = makeStore(t, 'one');
  mkdirSync(join(store.root, 'things/.two.removing/deep'), { recursive: true });
  t.match(await cleanStore(store, () => false), { ok: true, value: { removed: { length: 0 } } });
  t.strictSame(readdirSync(join(store.root, 'things')), ['one']);
});

t.test('removes references together with everything, and only then', async (t) => {
  const store = { root: t.testdir({ references: { 'debian-6.1.json': '{}' } }) };
  await cleanStore(store, everything);
  t.strictSame(readdirSync(join(store.root, 'references')), ['debian-6.1.json']);
  await cleanStore(store, everything, { references: true });
  t.strictSame(readdirSync(join(store.root, 'references')), []);
});

t.test('has nothing to clean without a cache', async (t) => {
  const store = { root: join(t.testdir(), 'none') };
  t.match(await cleanStore(store, everything), { ok: true, value: { removed: { length: 0 } } });
});
