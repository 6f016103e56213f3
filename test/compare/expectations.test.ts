import t from 'tap';
import { exitCodeOfComparison, expectedOf, holds } from '../../cli/compare/expectations.js';
import type { CellExpectation, CellName, Expected } from '../../cli/results/case.js';
import type { Verdict } from '../../cli/verdict/judge.js';

const CELL: CellName = {
  variant: 'v2',
  fs: 'ext2',
  test: 'generic/002',
  pmem: 'memmap',
  powerCut: false,
};
const findings = (...signatures: string[]) => signatures.map((signature) => ({ signature }));

t.test('applies the last expectation that covers a cell', (t) => {
  const pass: CellExpectation = { cells: {}, expected: { verdict: 'pass' } };
  const fail: CellExpectation = {
    cells: { variants: ['v2', 'v3'], fileSystems: ['ext2'] },
    expected: { verdict: 'fail' },
  };
  const notrun: CellExpectation = { cells: { pmem: ['none'] }, expected: { verdict: 'notrun' } };
  t.equal(expectedOf(CELL, []), null);
  t.equal(expectedOf(CELL, [pass, fail, notrun])?.verdict, 'fail');
  t.equal(expectedOf(CELL, [fail, pass])?.verdict, 'pass');
  t.equal(expectedOf({ ...CELL, fs: 'xfs' }, [pass, fail])?.verdict, 'pass');
  t.equal(expectedOf({ ...CELL, variant: 'v1' }, [fail]), null);
  t.equal(expectedOf({ ...CELL, pmem: 'none' }, [pass, fail, notrun])?.verdict, 'notrun');
  const cut: CellExpectation = { cells: { powerCut: true }, expected: { verdict: 'fail' } };
  t.equal(expectedOf(CELL, [pass, cut])?.verdict, 'pass');
  t.equal(expectedOf({ ...CELL, powerCut: true }, [pass, cut])?.verdict, 'fail');
  t.end();
});

t.test('tells whether an expectation holds', (t) => {
  const cases: [boolean, Verdict, string[], Expected | null][] = [
    [true, 'pass', [], null],
    [true, 'error', [], null],
    [true, 'pass', [], { verdict: 'pass' }],
    [false, 'notrun', [], { verdict: 'pass' }],
    [false, 'invalid', [], { verdict: 'pass' }],
    [true, 'fail', ['e2fsck:a'], { verdict: 'fail' }],
    [true, 'fail', ['e2fsck:a', 'e2fsck:b'], { verdict: 'fail', signature: 'e2fsck:b' }],
    [false, 'fail', ['e2fsck:a'], { verdict: 'fail', signature: 'e2fsck:b' }],
    [false, 'fail', [], { verdict: 'fail', signature: 'e2fsck:b' }],
    [false, 'invalid', ['e2fsck:b'], { verdict: 'fail', signature: 'e2fsck:b' }],
  ];
  for (const [held, verdict, signatures, expected] of cases) {
    const judged = { verdict, findings: findings(...signatures) };
    t.equal(holds(judged, expected), held, `${verdict} ${JSON.stringify(expected)}`);
  }
  t.end();
});

t.test('returns the exit codes of the contract', (t) => {
  const cases: [number, [Verdict, Verdict?][]][] = [
    [0, [['pass', 'pass']]],
    [
      0,
      [
        ['fail', 'fail'],
        ['pass', 'pass'],
      ],
    ],
    [1, [['pass', 'fail']]],
    [
      1,
      [
        ['fail', 'pass'],
        ['error', 'pass'],
      ],
    ],
    [1, [['notrun', 'pass']]],
    [
      3,
      [
        ['error', 'pass'],
        ['pass', 'pass'],
      ],
    ],
    [3, [['invalid', 'fail']]],
    [3, [['error', 'invalid']]],
    [1, [['pass', 'error']]],
    [
      0,
      [
        ['invalid', 'invalid'],
        ['error', 'error'],
      ],
    ],
    [0, [['notrun', 'notrun']]],
    // Without an expectation every verdict is fine, but there must be one.
    [0, [['fail'], ['pass']]],
    [0, [['fail'], ['notrun']]],
    [3, [['pass'], ['error']]],
    [3, [['invalid']]],
    [3, [['notrun']]],
    [3, []],
  ];
  for (const [code, units] of cases) {
    const judged = units.map(([verdict, wanted]) => {
      const expected = wanted ? { verdict: wanted } : null;
      return { verdict, expected, held: holds({ verdict, findings: [] }, expected) };
    });
    t.equal(exitCodeOfComparison(judged), code, JSON.stringify(units));
  }
  t.end();
});
