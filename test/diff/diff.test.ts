import t from 'tap';
import { diff, exitCodeOfDiff } from '../../cli/diff/diff.js';
import type { Side } from '../../cli/diff/sides.js';
import { formatDiff } from '../../cli/report/diff-text.js';
import type { RunResult, UnitResult } from '../../cli/results/run-result.js';
import { CORRUPTED, FAIL } from '../util/comparisons.js';
import { RESULT, UNIT } from '../util/results.js';

function side(units: Partial<UnitResult>[], more: Partial<RunResult> = {}): Side {
  const result = { ...RESULT, ...more, units: units.map((unit) => ({ ...UNIT, ...unit })) };
  return { runs: [{ kind: 'run', directory: '/runs/1', result }] };
}

function compared(before: Side, after: Side, { byKernel = false, slowerIsWorse = false } = {}) {
  const result = diff(before, after, { byKernel, slowerIsWorse }, ['diff']);
  const text = formatDiff(result, { width: 74 });
  t.ok(
    text.split('\n').every((line) => [...line].length <= 74),
    'fits into a mail of 74 columns',
  );
  return { ...result, code: exitCodeOfDiff(result), text };
}

function times(count: number, unit: (index: number) => Partial<UnitResult>) {
  return Array.from({ length: count }, (_, index) => ({ attempt: index + 1, ...unit(index) }));
}

t.test('reports no difference for equal runs', (t) => {
  const same = compared(side([{}]), side([{}]));
  t.match(same, {
    conclusion: 'same',
    code: 0,
    cells: { length: 0 },
    counts: { same: 1, compared: 1 },
  });
  t.match(same.text, /No difference: 1 unchanged$/);
  t.end();
});

t.test('a device with a stack is another one', (t) => {
  const other = compared(side([{}]), side([{ ...FAIL, stack: 'linear' }]));
  t.match(other, { counts: { compared: 0 } });
  t.end();
});

t.test('reports a new failure, and one that is gone', (t) => {
  const worse = compared(side([{}]), side([FAIL]));
  t.match(worse, { conclusion: 'worse', code: 1 });
  t.match(worse.cells, [
    { reasons: ['fails-now', 'new-finding'], appeared: [{ signature: CORRUPTED.signature }] },
  ]);
  const better = compared(side([FAIL]), side([{}]));
  t.match(better, { conclusion: 'better', code: 0 });
  t.match(better.cells, [{ vanished: [{ maybeChance: false, p: null }] }]);
  t.match(better.text, /vanished e2fsck:directory/);
  t.end();
});

t.test('counts a different finding behind the same verdict as worse', (t) => {
  const other = { ...CORRUPTED, signature: 'e2fsck:other' };
  const both = compared(side([FAIL]), side([{ ...FAIL, findings: [other] }]));
  t.match(both, { code: 1, cells: [{ reasons: ['new-finding', 'finding-gone'] }] });
  const notice = { ...CORRUPTED, signature: 'e2fsck:n', severity: 'notice' as const };
  const told = compared(side([{}]), side([{ findings: [notice] }]));
  t.match(told, {
    code: 0,
    conclusion: 'changed',
    cells: [{ appeared: [{ severity: 'notice' }] }],
  });
  t.end();
});

t.test('claims nothing about a side without a verdict', (t) => {
  for (const verdict of ['error', 'invalid', 'notrun'] as const) {
    const lost = compared(side([FAIL, { test: 'generic/003' }]), side([{ verdict }]));
    t.match(lost, { code: 3, conclusion: 'cannot-tell' }, verdict);
    const [cell] = lost.cells;
    t.match(cell, { kind: 'no-verdict-now', comparable: false }, verdict);
    t.strictSame(cell?.vanished, [], 'no finding counts as gone');
    const found = compared(side([{ verdict }]), side([FAIL]));
    t.match(found, { code: 1, cells: [{ reasons: ['fails-now'] }] });
    t.strictSame(found.cells[0]?.appeared, []);
    t.equal(compared(side([{ verdict }]), side([{}])).cells[0]?.kind, 'better');
    t.equal(
      compared(side([{ verdict }]), side([{ verdict }])).code,
      3,
      'no verdict on either side',
    );
  }
  t.equal(compared(side([]), side([])).code, 3);
  t.end();
});

t.test('does not call a sporadic failure gone after a few passes', (t) => {
  const sometimes = side(times(20, (index) => (index < 2 ? FAIL : {})));
  const chance = compared(sometimes, side(times(20, () => ({}))));
  t.match(chance, { conclusion: 'changed', code: 0 });
  t.match(chance.cells, [{ reasons: { length: 0 }, vanished: [{ maybeChance: true }] }]);
  t.match(chance.text.replaceAll(/\s+/g, ' '), /may be chance \(p = 0\.49\)/);
  const told = compared(sometimes, side(times(200, () => ({}))));
  t.match(told.cells, [{ kind: 'better', reasons: ['passes-now', 'finding-gone'] }]);
  const more = compared(sometimes, side(times(20, (index) => (index < 12 ? FAIL : {}))));
  t.match(more, { code: 1, cells: [{ reasons: ['fails-more'], appeared: { length: 0 } }] });
  t.match(more.text, /fails more often than before/);
  const back = compared(side(times(20, (index) => (index < 12 ? FAIL : {}))), sometimes);
  t.match(back, { code: 0, cells: [{ kind: 'better', reasons: ['fails-less'] }] });
  t.end();
});

t.test('reports units that only one side ran', (t) => {
  const gone = compared(side([{}, { test: 'generic/003' }]), side([{}]));
  t.match(gone, { code: 0, conclusion: 'changed', counts: { 'only-before': 1, same: 1 } });
  t.match(gone.text, /only before\n +ext2 generic\/003/);
  const fresh = compared(side([{}]), side([{}, { test: 'generic/003' }]));
  t.match(fresh, { code: 0, counts: { 'only-after': 1 } });
  const failing = compared(side([{}]), side([{}, { ...FAIL, test: 'generic/003' }]));
  t.match(failing, { code: 1, cells: [{ kind: 'worse', before: null }] });
  t.end();
});

t.test('matches units of both sides', (t) => {
  const patched = compared(side([{ variant: 'base' }]), side([{ variant: 'patched', ...FAIL }]));
  t.match(patched.cells, [{ before: { variant: 'base' }, after: { variant: 'patched' } }]);
  t.notOk(patched.matchedBy.includes('variant'));
  const several = compared(side([{}, { variant: 'v2' }]), side([{ variant: 'v3' }]));
  t.match(several.counts, { 'only-before': 2, 'only-after': 1 });
  const kernel = { spec: 'debian:6.12', release: '6.12.1', id: 'other' };
  t.equal(compared(side([{}]), side([{ kernel }])).counts.same, 1);
  t.match(compared(side([{}]), side([{ kernel }]), { byKernel: true }).counts, {
    'only-before': 1,
    'only-after': 1,
  });
  const { text, context } = compared(side([{}]), side([{ kernel }]));
  t.match(context, [
    { what: 'kernel', before: ['6.1.0-56-amd64 from debian:6.1'] },
    { what: 'kernel id' },
  ]);
  t.match(text, /differs +kernel: 6\.1\.0-56-amd64 from debian:6\.1 ->/);
  t.equal(
    compared(side([{}]), side([{ control: true }])).counts.compared,
    0,
    'a control does not match',
  );
  t.end();
});

t.test('compares modules of the same variant only', (t) => {
  const module = { origin: 'built' as const, sha256: 'aa', buildId: 'bb' };
  const v2 = { variant: 'v2', dax: { ...UNIT.dax, module } };
  t.strictSame(compared(side([{}]), side([{}, v2])).context, []);
  t.match(compared(side([{}]), side([v2])).context, [{ what: 'ext2 module', after: ['bb (v2)'] }]);
  t.end();
});

t.test('reports tests that got significantly slower', (t) => {
  const seconds = (from: number, boot = 0.5) =>
    times(6, (index) => ({ durationSeconds: from + boot + index / 10, bootSeconds: boot }));
  const slower = compared(side(seconds(2)), side(seconds(3)));
  t.match(slower, { code: 0, conclusion: 'changed', cells: [{ reasons: ['slower'] }] });
  t.match(slower.text, /slower: 2\.3 s -> 3\.3 s/);
  t.equal(compared(side(seconds(2)), side(seconds(3)), { slowerIsWorse: true }).code, 1);
  t.match(compared(side(seconds(3)), side(seconds(2))).cells, [{ reasons: ['faster'] }]);
  t.strictSame(
    compared(side(seconds(2)), side(seconds(2, 9))).cells,
    [],
    'the boot does not count',
  );
  t.strictSame(compared(side(seconds(2)), side(seconds(2.05))).cells, [], 'less than 10 % slower');
  const few = compared(side([{ durationSeconds: 1 }]), side([{ durationSeconds: 50 }]));
  t.match(few, {
    cells: { length: 0 },
    durations: { compared: 1, undecided: 1, attemptsNeeded: 4 },
  });
  t.match(few.text, /Too few attempts .* of 1 of 1 test: it takes 4/);
  const kvm = seconds(3).map((unit) => ({ ...unit, accel: 'kvm' }));
  t.equal(compared(side(seconds(2)), side(kvm)).durations.compared, 0, 'another accelerator');
  t.end();
});

t.test('raises no false alarm among many tests', (t) => {
  // By chance, one of twenty tests has a whole group above the other.
  const units = (shift: number) =>
    Array.from({ length: 20 }, (_, test) =>
      times(4, (index) => ({
        test: `generic/${test}`,
        durationSeconds: 2 + ((index * 7 + test * 3) % 5) / 10 + (test === 3 ? shift : 0),
        bootSeconds: null,
      })),
    ).flat();
  const { cells, durations } = compared(side(units(0)), side(units(1)));
  t.strictSame(cells, []);
  t.match(durations, { undecided: 20, attemptsNeeded: 6 });
  t.end();
});

t.test('escapes text from the guest', (t) => {
  const evil = { ...CORRUPTED, signature: 'e2fsck:\x1b[31m', message: '\x1b]0;x\x07' };
  const { text } = compared(side([{}]), side([{ ...FAIL, test: 'a\x1b[2J', findings: [evil] }]));
  t.notMatch(text, /\x1b/);
  const named = compared(side([{}]), side([{ ...FAIL, findings: [evil] }]));
  t.notMatch(named.text, /\x1b/);
  t.match(named.text, /\\x1b\[31m/);
  t.end();
});
