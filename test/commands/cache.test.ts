import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cacheCleanCommand, cacheListCommand } from '../../cli/commands/cache.js';

/** A cache with two unused entries; one was last used 40 days ago. */
function makeCache(t: import('tap').Test) {
  const root = t.testdir({
    module: { aaaa: { file: 'x'.repeat(10_000) }, bbbb: { file: '' }, '.cccc.making': {} },
  });
  const longAgo = Date.now() / 1000 - 40 * 24 * 3600;
  utimesSync(join(root, 'module/aaaa'), longAgo, longAgo);
  const printed: string[] = [];
  const errors: string[] = [];
  const context = {
    store: { root },
    print: (text: string) => void printed.push(text),
    printError: (text: string) => void errors.push(text),
  };
  const left = () => readdirSync(join(root, 'module')).sort();
  return { root, context, printed, errors, left };
}

t.test('lists entries', async (t) => {
  const { root, context, printed } = makeCache(t);
  t.equal(await cacheListCommand({}, context), 0);
  t.match(printed, [
    /^module +aaaa +[\d.]+ KiB +last used \d{4}-/,
    /^module +bbbb +0 B/,
    /^[\d.]+ KiB in 2 entries below /,
  ]);
  t.equal(await cacheListCommand({ json: true }, context), 0);
  t.match(JSON.parse(printed[3] ?? ''), {
    schemaVersion: 1,
    root,
    entries: [{ kind: 'module', key: 'aaaa', directory: join(root, 'module/aaaa') }, {}],
  });
});

t.test('cleans entries unused for a month, and leftovers', async (t) => {
  const { context, printed, left } = makeCache(t);
  t.equal(await cacheCleanCommand({ dryRun: true }, context), 0);
  t.match(printed.join('\n'), /aaaa[\s\S]*cccc\.making \(left over\)[\s\S]*Would free [\d.]+ KiB/);
  t.strictSame(left(), ['.cccc.making', 'aaaa', 'bbbb']);
  t.equal(await cacheCleanCommand({}, context), 0);
  t.strictSame(left(), ['bbbb']);
});

t.test('cleans by age, or everything with --all', async (t) => {
  const { root, context, left } = makeCache(t);
  t.equal(await cacheCleanCommand({ olderThan: '60' }, context), 0);
  t.strictSame(left(), ['aaaa', 'bbbb']);
  t.equal(await cacheCleanCommand({ all: true, olderThan: '30' }, context), 0);
  t.strictSame(left(), []);
  t.ok(existsSync(root));
});

t.test('rejects an age that is not a number', async (t) => {
  const { context, errors, left } = makeCache(t);
  for (const olderThan of ['x', '-1', '1d', '']) {
    t.equal(await cacheCleanCommand({ olderThan }, context), 2, olderThan);
  }
  t.match(errors[0], /number of days, not "x"/);
  t.ok(left().includes('aaaa'));
});
