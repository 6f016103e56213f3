import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Extent } from '../../cli/guest/contents.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { changesOf, openUnit } from '../../cli/shell/kept-image.js';
import { UNIT } from '../util/results.js';

const { signal } = new AbortController();

t.test('finds the changes of a unit in its replay command', async (t) => {
  const of = (replay: string) => changesOf({ replay });
  t.strictSame(of('daxrepro run ext2 generic/002'), []);
  t.strictSame(
    of("daxrepro run ext2 generic/002 --patch /a/b.patch --patch '/a b/it'\\''s.mbox' --size 1"),
    ['/a/b.patch', "/a b/it's.mbox"],
  );
});

/** A unit's folder with these files. */
function keep(t: Test, images: UnitResult['images'], files: Record<string, string> = {}): string {
  const folder = join(t.testdir(), '001-ext2-generic-002');
  mkdirSync(folder);
  const unit = { ...UNIT, verdict: 'fail', ...(images ? { images } : {}) };
  writeFileSync(join(folder, 'unit.json'), JSON.stringify(unit));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

t.test('opens the first image of each device, TEST_DEV first', async (t) => {
  const folder = keep(
    t,
    [
      { device: '/dev/pmem1', file: '001-ext2-generic-002/scratch' },
      { device: '/dev/pmem0', file: '001-ext2-generic-002/test' },
      { device: '/dev/pmem0', file: '001-ext2-generic-002/later' },
    ],
    { scratch: 'the second', test: 'first', later: 'x'.repeat(100) },
  );
  const opened = await openUnit(folder, signal);
  if (!opened.ok) throw new Error(opened.failure.message);
  t.equal(opened.value.size, 'the second'.length);
  t.strictSame(Object.keys(opened.value.contents), ['test', 'scratch']);
  const extents: Extent[] = [];
  for await (const extent of opened.value.contents.test ?? []) extents.push(extent);
  t.strictSame(
    extents.map(({ data }) => Buffer.from(data).toString()),
    ['first'],
  );
  t.match(opened.value.images, [/scratch, copied to \/dev\/pmem1/, /test, copied to \/dev\/pmem0/]);
  opened.value.close();
});

t.test('says why a unit has no image', async (t) => {
  const missing = [{ device: '/dev/pmem0', missing: 'it does not fit' }];
  t.match(await openUnit(keep(t, missing), signal), {
    ok: false,
    failure: { kind: 'usage', message: /has no image: it does not fit/ },
  });
  t.match(await openUnit(keep(t, undefined), signal), { ok: false, failure: { kind: 'usage' } });
  const gone = [{ device: '/dev/pmem0', file: '001-ext2-generic-002/gone' }];
  t.match(await openUnit(keep(t, gone), signal), { ok: false, failure: { kind: 'unreadable' } });
});
