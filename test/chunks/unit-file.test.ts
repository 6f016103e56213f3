import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { collect } from '../../cli/chunks/collect.js';
import { unitIdentity } from '../../cli/chunks/identity.js';
import type { PlannedUnit } from '../../cli/chunks/schema.js';
import { checkUnitText, folderOf, publishUnit, readUnitState } from '../../cli/chunks/unit-file.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { sha256Of } from '../../cli/sha256.js';
import { UNIT } from '../util/results.js';
import { PLAN, planned, writeTestPlan } from './plans.js';

/** Results of units: what counts, and what never does. */

const result: UnitResult = { ...UNIT, fs: 'ext4', control: false };

function publish(
  directory: string,
  unit: PlannedUnit,
  of: UnitResult = { ...result, seed: unit.unit.seed, test: unit.unit.test },
) {
  const work = join(directory, 'work/n1-1-a');
  mkdirSync(work, { recursive: true });
  publishUnit(unit, of, { directory, work, plan: PLAN, session: 'n1-1-a' });
  return join(directory, folderOf(unit), 'outcome.json');
}

t.test('a result appears as a whole, and the first one stays', async (t) => {
  const directory = t.testdir();
  const unit = planned(0);
  t.strictSame(readUnitState(directory, unit, PLAN), { state: 'missing' });
  publish(directory, unit);
  t.match(readUnitState(directory, unit, PLAN), { state: 'whole', result: { verdict: 'pass' } });
  publish(directory, unit, {
    ...result,
    seed: unit.unit.seed,
    test: unit.unit.test,
    verdict: 'fail',
  });
  t.match(readUnitState(directory, unit, PLAN), { state: 'whole', result: { verdict: 'pass' } });
  t.strictSame(readdirSync(join(directory, 'work/n1-1-a')), [], 'the second one left nothing');
});

t.test('a torn result makes room for a whole one', async (t) => {
  const directory = t.testdir();
  const unit = planned(0);
  const file = publish(directory, unit);
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 100));
  t.match(readUnitState(directory, unit, PLAN), { state: 'bad', problem: 'its result is torn' });
  publish(directory, unit);
  t.match(readUnitState(directory, unit, PLAN), { state: 'whole' });
  t.equal(readdirSync(join(directory, 'replaced')).length, 1);
});

t.test('a result cut off at any byte does not count', async (t) => {
  const directory = t.testdir();
  const unit = planned(0);
  const bytes = readFileSync(publish(directory, unit));
  // The last byte is the newline after the result.
  for (let length = 0; length < bytes.length - 1; length += 1) {
    const { state } = checkUnitText(bytes.subarray(0, length).toString(), unit, PLAN);
    if (state !== 'bad') t.fail(`with ${length} of ${bytes.length} bytes it is ${state}`);
  }
  t.match(checkUnitText(bytes.toString(), unit, PLAN), { state: 'whole' });
});

t.test('a result of another plan, unit or input does not count', async (t) => {
  const directory = t.testdir();
  const unit = planned(0);
  const text = readFileSync(publish(directory, unit), 'utf8');
  const problem = (of: PlannedUnit, plan = PLAN) => {
    const state = checkUnitText(text, of, plan);
    return state.state === 'bad' ? state.problem : state.state;
  };
  t.match(problem(unit, sha256Of('another plan')), /another plan/);
  t.match(problem(planned(1)), /another plan/);
  t.match(problem({ ...unit, inputs: unitIdentity(unit.unit, 'another kernel') }), /other inputs/);
  t.match(problem({ ...unit, unit: { ...unit.unit, test: 'generic/003' } }), /not valid/);
  t.match(problem({ ...unit, unit: { ...unit.unit, variant: 'v2' } }), /not valid/);
});

/** Damage to a file of a unit. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(4000) }),
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(4000), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('swap' as const), at: fc.nat(5) }),
  fc.record({ kind: fc.constant('gone' as const), at: fc.nat(5) }),
  fc.record({ kind: fc.constant('none' as const), at: fc.nat(5) }),
);

t.test('no unit passes without its own whole result', async (t) => {
  const COUNT = 4;
  const directory = t.testdir();
  const units = writeTestPlan(directory, COUNT);
  const files = units.map((unit) => publish(directory, unit));
  const originals = files.map((file) => readFileSync(file));
  let undamaged = 0;
  fc.assert(
    fc.property(fc.array(damage, { minLength: COUNT, maxLength: COUNT }), (damages) => {
      const contents = damages.map((one, at) => spoil(originals, at, one));
      for (const [at, content] of contents.entries()) writeFileSync(files[at] ?? '', content);
      const collected = collect(directory);
      if (!collected.ok) return false;
      const results = collected.value.result.units;
      return (
        results.length === COUNT &&
        results.every(({ verdict, test }, at) => {
          if (test !== units[at]?.unit.test) return false;
          const whole = contents[at]?.equals(originals[at] ?? Buffer.alloc(0)) ?? false;
          if (whole) undamaged += 1;
          return verdict === (whole ? 'pass' : 'error');
        })
      );
    }),
    { numRuns: 200 },
  );
  t.ok(undamaged > 0, 'some were whole');
});

function spoil(
  originals: readonly Buffer[],
  at: number,
  one: { kind: string; at: number; bit?: number },
): Buffer {
  const own = originals[at] ?? Buffer.alloc(0);
  const place = one.at % (own.length - 1);
  if (one.kind === 'cut') return own.subarray(0, place);
  if (one.kind === 'gone') return Buffer.alloc(0);
  if (one.kind === 'swap') return originals[one.at % originals.length] ?? own;
  if (one.kind === 'none') return own;
  const copy = Buffer.from(own);
  copy[place] = (copy[place] ?? 0) ^ (1 << (one.bit ?? 0));
  return copy;
}
