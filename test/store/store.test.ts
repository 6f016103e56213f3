import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { failure, success } from '../../cli/outcome.js';
import { runTool } from '../../cli/process/child.js';
import {
  cacheKey,
  defaultStore,
  listEntries,
  lookUp,
  lookUpOrMake,
} from '../../cli/store/store.js';
import { startOther } from './other.js';

const nothing = async () => success(undefined);

t.test('makes keys of names and values, whatever their order', async (t) => {
  t.match(cacheKey({ a: 1 }), /^[0-9a-f]{32}$/);
  t.equal(cacheKey({ a: 1, b: '2' }), cacheKey({ b: '2', a: 1 }));
  t.not(cacheKey({ a: 1 }), cacheKey({ a: '1' }));
  t.not(cacheKey({ a: 'b", "c' }), cacheKey({ a: 'b', c: '' }));
});

t.test('follows the XDG specification for the default place', async (t) => {
  const before = process.env['XDG_CACHE_HOME'];
  t.teardown(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
  });
  process.env['XDG_CACHE_HOME'] = '/somewhere';
  t.equal(defaultStore().root, '/somewhere/daxrepro');
  // The specification says to ignore relative paths.
  process.env['XDG_CACHE_HOME'] = 'here';
  t.match(defaultStore().root, /^\/.*\.cache\/daxrepro$/);
});

t.test('makes an entry once, and shows it only when it is complete', async (t) => {
  const store = { root: join(t.testdir(), 'cache') };
  let made = 0;
  const make = () =>
    lookUpOrMake(store, 'things', 'one', async (directory) => {
      made += 1;
      t.equal(await lookUp(store, 'things', 'one'), undefined);
      await writeFile(join(directory, 'file'), 'text');
      return success(undefined);
    });
  const outcomes = await Promise.all([make(), make(), make()]);
  t.equal(made, 1);
  for (const outcome of outcomes) {
    t.strictSame(outcome, success(join(store.root, 'things/one')));
  }
  t.equal(readFileSync(join(store.root, 'things/one/file'), 'utf8'), 'text');
  t.strictSame(
    (await listEntries(store)).map(({ kind, key }) => [kind, key]),
    [['things', 'one']],
  );
});

t.test("does not wait for an entry's users", async (t) => {
  const store = { root: t.testdir({ things: {} }) };
  const lock = join(store.root, 'things/.one.lock');
  // A maker that goes on to use its entry before any other process had a turn.
  const script =
    'exec 9>>"$1"; flock -x 9; echo makes; read go; mkdir "$2"; flock -s 9; echo uses; read go';
  const other = spawn('bash', ['-c', script, 'maker', lock, join(store.root, 'things/one')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => other.kill('SIGKILL'));
  await once(other.stdout, 'data');
  const never = async () => failure('tool-failed', 'It is being made', 'Wait');
  let wanted: Promise<unknown> | undefined;
  await new Promise<void>((onWait) => {
    wanted = lookUpOrMake(store, 'things', 'one', never, { onWait });
  });
  other.stdin.write('go\n');
  await once(other.stdout, 'data');
  t.strictSame(await wanted, success(join(store.root, 'things/one')));
});

t.test('lets one of the waiting processes retry after a failure', async (t) => {
  const store = { root: t.testdir() };
  let calls = 0;
  const make = () =>
    lookUpOrMake(store, 'things', 'one', async () => {
      calls += 1;
      const first = calls === 1;
      await new Promise((done) => setTimeout(done, 100));
      return first ? failure('tool-failed', 'It broke', 'Mend it') : success(undefined);
    });
  const outcomes = await Promise.all(Array.from({ length: 5 }, make));
  t.equal(outcomes.filter(({ ok }) => !ok).length, 1);
  t.equal(calls, 2);
});

t.test('lets one of two processes make it while the other waits', async (t) => {
  const root = t.testdir();
  const others = [startOther(t, 'make', root), startOther(t, 'make', root)];
  const said = await Promise.all(others.map((other) => other.line()));
  t.strictSame([...said].sort(), ['makes', 'waits']);
  others[said.indexOf('makes')]?.goOn();
  t.strictSame(await Promise.all(others.map((other) => other.line())), ['has true', 'has true']);
});

t.test('does not use what a killed maker left', async (t) => {
  const store = { root: t.testdir() };
  const other = startOther(t, 'make', store.root);
  t.equal(await other.line(), 'makes');
  writeFileSync(join(store.root, 'things/.one.making/half'), '');
  await other.kill();
  t.equal(await lookUp(store, 'things', 'one'), undefined);
  const made = await lookUpOrMake(store, 'things', 'one', async (directory) => {
    t.strictSame(readdirSync(directory), []);
    return success(undefined);
  });
  t.ok(made.ok);
});

t.test('leaves nothing after a failure, and retries the next time', async (t) => {
  const store = { root: t.testdir() };
  const wrong = await lookUpOrMake(store, 'things', 'one', async (directory) => {
    await writeFile(join(directory, 'half'), '');
    return failure('tool-failed', 'It broke', 'Mend it');
  });
  t.match(wrong, { ok: false, failure: { message: 'It broke' } });
  t.strictSame(readdirSync(join(store.root, 'things')), ['.one.lock']);
  await t.rejects(
    lookUpOrMake(store, 'things', 'one', async () => {
      throw new Error('a bug');
    }),
    { message: 'a bug' },
  );
  t.ok((await lookUpOrMake(store, 'things', 'one', nothing)).ok);
});

t.test('makes an entry again that was removed by hand', async (t) => {
  const store = { root: t.testdir() };
  t.ok((await lookUpOrMake(store, 'things', 'one', nothing)).ok);
  rmSync(join(store.root, 'things/one'), { recursive: true });
  t.ok((await lookUpOrMake(store, 'things', 'one', nothing)).ok);
  t.ok(existsSync(join(store.root, 'things/one')));
});

t.test('reports a file in the place of the cache', async (t) => {
  const store = { root: join(t.testdir({ cache: 'a file' }), 'cache') };
  t.match(await lookUpOrMake(store, 'things', 'one', nothing), {
    ok: false,
    failure: { kind: 'storage', message: /not a directory|a file is in the way/ },
  });
});

t.test('leaves the cache intact when the disk fills up', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'daxrepro-small-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root], { stdio: 'ignore' });
  } catch {
    t.comment('skipped: a small disk to fill can only be mounted by root');
    return;
  }
  t.teardown(() => execFileSync('umount', ['--lazy', root]));
  const store = { root: join(root, 'cache') };
  t.ok((await lookUpOrMake(store, 'things', 'small', nothing)).ok);

  const byUs = await lookUpOrMake(store, 'things', 'large', async (directory) => {
    await writeFile(join(directory, 'file'), Buffer.alloc(2 << 20));
    return success(undefined);
  });
  t.match(byUs, { failure: { kind: 'storage', message: /no space left/, remedy: /cache clean/ } });

  const byTool = await lookUpOrMake(store, 'things', 'large', async (directory) => {
    const head = await runTool(['sh', '-c', 'head -c 2M /dev/zero >"$0"', join(directory, 'file')]);
    return head.ok ? success(undefined) : failure('tool-failed', head.all, 'Make room');
  });
  t.match(byTool, { failure: { message: /No space left on device/ } });

  t.strictSame(
    (await listEntries(store)).map(({ key }) => key),
    ['small'],
  );
  t.notOk(existsSync(join(store.root, 'things/.large.making')));
});
