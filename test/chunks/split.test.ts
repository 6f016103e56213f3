import fc from 'fast-check';
import t from 'tap';
import { estimated, splitUnits } from '../../cli/chunks/split.js';
import type { Unit } from '../../cli/plan/unit.js';
import { XFSTESTS_UNIT } from '../util/units.js';

const unit = (more: Partial<Unit>): Unit => ({ ...XFSTESTS_UNIT, ...more });

const units = fc
  .array(
    fc.record({
      test: fc.constantFrom('generic/001', 'generic/002', 'generic/003', 'xfs/001'),
      variant: fc.constantFrom('base', 'v2'),
      attempt: fc.integer({ min: 1, max: 5 }),
    }),
    { maxLength: 60 },
  )
  .map((all) => all.map(unit));

const secondsOf = (units: readonly { seconds: number }[]) =>
  units.reduce((sum, { seconds }) => sum + seconds, 0);

t.test('each unit is in one chunk, and compared sides are together', async (t) => {
  fc.assert(
    fc.property(
      units,
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 9 }),
      (all, target, least) => {
        const timed = estimated(all, ({ test }) => (test === 'xfs/001' ? undefined : test.length));
        const chunks = splitUnits(timed, { target, least });
        if (chunks.flat().length !== timed.length) return false;
        if (new Set(chunks.flat()).size !== timed.length) return false;
        const chunkOf = new Map<string, number>();
        for (const [number, chunk] of chunks.entries()) {
          if (chunk.length === 0) return false;
          for (const one of chunk) {
            const key = `${one.unit.test} ${one.unit.attempt}`;
            if ((chunkOf.get(key) ?? number) !== number) return false;
            chunkOf.set(key, number);
          }
        }
        const again = splitUnits(timed, { target, least });
        return JSON.stringify(again) === JSON.stringify(chunks);
      },
    ),
  );
  t.pass('for every list');
});

t.test('chunks take about equally long, and the longest units come first', async (t) => {
  const all = Array.from({ length: 500 }, (_, at) => unit({ test: `generic/${at}` }));
  const timed = estimated(all, ({ test }) => 1 + (Number(test.slice(8)) % 30));
  const chunks = splitUnits(timed, { target: 600 });
  t.equal(chunks.length, Math.ceil(secondsOf(timed) / 600));
  const seconds = chunks.map(secondsOf);
  t.ok(Math.max(...seconds) - Math.min(...seconds) <= 30, String(seconds));
  t.strictSame(
    seconds,
    seconds.toSorted((a, b) => b - a),
  );
  for (const chunk of chunks) {
    const own = chunk.map((one) => one.seconds);
    t.strictSame(
      own,
      own.toSorted((a, b) => b - a),
    );
  }
});

t.test('a test that never ran takes as long as the mean of the others', async (t) => {
  const all = ['a', 'b', 'new'].map((test) => unit({ test }));
  const known = new Map([
    ['a', 10],
    ['b', 30],
  ]);
  t.strictSame(
    estimated(all, ({ test }) => known.get(test)).map(({ seconds }) => seconds),
    [10, 30, 20],
  );
  t.ok(estimated(all, () => undefined).every(({ seconds }) => seconds === 10));
});

t.test('few units make few chunks', async (t) => {
  t.strictSame(splitUnits([], { target: 600 }), []);
  const two = estimated([unit({ test: 'a' }), unit({ test: 'b' })], () => 1);
  t.equal(splitUnits(two, { target: 600 }).length, 1);
  t.equal(splitUnits(two, { target: 600, least: 6 }).length, 2);
});
