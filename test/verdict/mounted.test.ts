import t from 'tap';
import type { GuestEvent } from '../../cli/guest/protocol.js';
import { NOT_CUT } from '../../cli/record/power-cut.js';
import { readProof } from '../../cli/verdict/dax-proof.js';
import {
  damageFound,
  dataNotCompared,
  daxUnprovenAfterTest,
  decideMounted,
  deviceUnchecked,
  endedEarly,
  guestGaveUp,
  kernelLogIncomplete,
  MOUNTED_CHECKS,
  type MountedUnit,
  mountedUnit,
  mountRefusedForDax,
  neverReady,
  nothingToPromise,
  notMountedAfterTest,
  powerCutInconclusive,
  ranOutOfMemory,
  testFailed,
  testNotRun,
  testUndecided,
} from '../../cli/verdict/mounted.js';
import { expectation, finding, proof } from './records.js';
import { CORRUPTED, goodXfstests, ID, mount } from './xfstests-records.js';

const EXPECTED = expectation('ext4', { xfstests: { test: ID, groups: ['auto'] } });

function goodUnit(): MountedUnit {
  const states = [readProof(proof('ext4', 'after'), EXPECTED)];
  return mountedUnit(goodXfstests('ext4'), [], states, EXPECTED);
}

type Spoil = (unit: MountedUnit) => MountedUnit;

const record =
  (change: Partial<MountedUnit['record']>): Spoil =>
  (unit) => ({ ...unit, record: { ...unit.record, ...change } });
const found =
  (one: MountedUnit['serious'][number]): Spoil =>
  (unit) => ({ ...unit, serious: [...unit.serious, one] });
const events =
  (change: (events: GuestEvent[]) => GuestEvent[]): Spoil =>
  (unit) =>
    record({ events: change(unit.record.events) })(unit);
const testIs =
  (verdict: 'error' | 'notrun' | 'fail'): Spoil =>
  (unit) => ({ ...unit, test: { verdict, reason: `the test: ${verdict}` } });

const REFUSED = mount('ext4', {
  status: 32,
  directory: '',
  kernelLog: '[   12.000000] EXT4-fs (pmem1): unsupported blocksize for DAX',
});
const LOG_GAP = finding({ kind: 'log-gap', severity: 'notice' });
const GAVE_UP: GuestEvent = { event: 'gave-up', step: 'unmount', message: 'busy', kernelLog: '' };
const IDLE = {
  ...{ ...NOT_CUT, problem: undefined, guarantees: 'a journal' },
  calls: { seen: 0, unpromised: 0, changed: 0, beyond: 0 },
};

/** For each check, in the intended order: what makes it decide, and its verdict. */
const CHECKS: [MountedCheckOf, string, Spoil][] = [
  [endedEarly, 'fail', record({ ending: { kind: 'panic', message: 'x' } })],
  [ranOutOfMemory, 'error', found(finding({ kind: 'out-of-memory' }))],
  [neverReady, 'error', record({ ready: undefined })],
  [testUndecided, 'error', testIs('error')],
  [testNotRun, 'notrun', testIs('notrun')],
  [damageFound, 'fail', found(CORRUPTED)],
  [
    mountRefusedForDax,
    'invalid',
    (unit) => testIs('fail')(events((all) => [REFUSED, ...all])(unit)),
  ],
  [testFailed, 'fail', testIs('fail')],
  [guestGaveUp, 'error', events((all) => [...all, GAVE_UP])],
  [daxUnprovenAfterTest, 'error', (unit) => ({ ...unit, after: undefined })],
  [
    notMountedAfterTest,
    'invalid',
    (unit) => ({ ...unit, after: unit.after && { ...unit.after, mounted: false } }),
  ],
  [
    dataNotCompared,
    'error',
    (unit) => ({
      ...unit,
      states: [readProof(proof('ext4', 'before', { data: [] }), EXPECTED), ...unit.states],
    }),
  ],
  [deviceUnchecked, 'error', events((all) => all.filter(({ event }) => event !== 'fsck'))],
  [nothingToPromise, 'notrun', record({ powerCut: IDLE })],
  [
    powerCutInconclusive,
    'error',
    (unit) => ({ ...unit, expected: { ...unit.expected, powerCut: true } }),
  ],
  [kernelLogIncomplete, 'error', record({ kernelFindings: [LOG_GAP] })],
];
type MountedCheckOf = (typeof MOUNTED_CHECKS)[number];

/**
 * Pairs of checks that one test cannot meet, since they need different values of the same field.
 */
const EXCLUSIVE: MountedCheckOf[][] = [
  [testUndecided, testNotRun, mountRefusedForDax, testFailed],
  [daxUnprovenAfterTest, notMountedAfterTest],
];

const deciding = (unit: MountedUnit) => MOUNTED_CHECKS.find((check) => check(unit));

t.test('passes a unit that passes every check', async (t) => {
  const unit = goodUnit();
  for (const check of MOUNTED_CHECKS) t.equal(check(unit), undefined, check.name);
  t.match(decideMounted(unit), { verdict: 'pass' });
});

t.test('lets each check decide alone', async (t) => {
  t.same(
    MOUNTED_CHECKS.map(({ name }) => name),
    CHECKS.map(([{ name }]) => name),
    'tries every check, in the intended order',
  );
  for (const [check, verdict, spoil] of CHECKS) {
    const unit = spoil(goodUnit());
    t.match(check(unit), { verdict }, check.name);
    t.equal(deciding(unit)?.name, check.name, `${check.name} is the first to decide`);
    t.same(decideMounted(unit), check(unit), `${check.name} gives the verdict`);
  }
});

t.test('lets the first of two checks decide that apply', async (t) => {
  for (const [index, [first, , spoilFirst]] of CHECKS.entries()) {
    for (const [second, , spoilSecond] of CHECKS.slice(index + 1)) {
      if (EXCLUSIVE.some((all) => all.includes(first) && all.includes(second))) continue;
      const unit = spoilFirst(spoilSecond(goodUnit()));
      t.ok(deciding(unit), 'some check decides');
      // A test that did not run says nothing about damage that was found.
      const yields = (first === testUndecided || first === testNotRun) && second === damageFound;
      const winner = yields ? second : first;
      t.equal(deciding(unit)?.name, winner.name, `${first.name} and ${second.name}`);
    }
  }
});

t.test('does not blame damage on a kernel if a built-in test broke', async (t) => {
  const unit = testIs('error')(found(CORRUPTED)(goodUnit()));
  const builtin = { ...unit, expected: expectation('ext4') };
  t.equal(deciding(builtin), testUndecided);
  t.equal(deciding(unit), damageFound, 'an xfstests test gives up because of damage');
});

t.test('fails a timeout only with a finding', async (t) => {
  const late = record({ ending: { kind: 'unit-timeout', seconds: 9, step: 'test' } });
  t.match(endedEarly(late(goodUnit())), { verdict: 'error' });
  t.match(endedEarly(late(found(finding({ kind: 'hung-task' }))(goodUnit()))), { verdict: 'fail' });
});

t.test('excuses nothing by a refused mount in the control run', async (t) => {
  const unit = testIs('fail')(events((all) => [REFUSED, ...all])(goodUnit()));
  const control = { ...unit, expected: { ...unit.expected, control: true } };
  t.equal(mountRefusedForDax(control), undefined);
  t.equal(deciding(control), testFailed);
});
