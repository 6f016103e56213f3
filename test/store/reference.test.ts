import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { failure, success } from '../../cli/outcome.js';
import { readReference, settleReference } from '../../cli/store/reference.js';

const unknown = async () => undefined;

t.test('works it out once and remembers it', async (t) => {
  const store = { root: t.testdir() };
  let made = 0;
  const settle = () =>
    settleReference(
      store,
      'name',
      async () => (await readReference(store, 'name')) as { is: string } | undefined,
      async (scratch) => {
        made += 1;
        writeFileSync(join(scratch, 'list'), 'big');
        return success({ remember: { is: 'it' }, value: { is: 'it' } });
      },
    );
  const outcomes = await Promise.all([settle(), settle()]);
  t.strictSame(outcomes, [success({ is: 'it' }), success({ is: 'it' })]);
  t.equal(made, 1);
  t.strictSame(readdirSync(join(store.root, 'references')).sort(), ['.name.lock', 'name.json']);
});

t.test('remembers nothing on failure, and keeps the old value', async (t) => {
  const store = { root: t.testdir() };
  const make = async () => success({ remember: 1, value: 1 });
  t.strictSame(await settleReference(store, 'name', unknown, make), success(1));
  const wrong = async () => failure('kernel-unavailable', 'There is none', 'Wait');
  t.match(await settleReference(store, 'name', unknown, wrong), { ok: false });
  t.equal(await readReference(store, 'name'), 1);
});

t.test('treats an unreadable reference as missing', async (t) => {
  const store = { root: t.testdir({ references: { 'name.json': '{ broken' } }) };
  t.equal(await readReference(store, 'name'), undefined);
  t.equal(await readReference(store, 'other'), undefined);
});
