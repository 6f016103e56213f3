import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import { formatSummary } from '../../cli/report/summary.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { RESULT, UNIT } from '../util/results.js';

const summary = (units: UnitResult[], colour = false) =>
  formatSummary({ ...RESULT, units }, { colour });

const FINDING: Finding = {
  tool: 'e2fsck',
  device: '/dev/pmem0',
  pass: 2,
  message: 'Directory inode 2, block #0, offset 0: directory corrupted',
  signature: 's',
  severity: 'corruption',
};

t.test('shows kernel, driver, proof, verdict and files of a pass', (t) => {
  t.equal(
    summary([UNIT]),
    [
      'PASS     ext2 generic/002  (1.2 s, memmap, tcg)',
      '         reason   the test passed and no problems were found',
      '         kernel   6.1.0-56-amd64 from debian:6.1',
      "         driver   ext2, module built from the kernel's source, build id 0123456789ab",
      '         DAX      proven by mount option and statx of a fresh file, in 2 checks (before, after)',
      '',
      'files    /runs/1',
      'report   daxrepro report /runs/1 --output report.html',
    ].join('\n'),
  );
  t.end();
});

t.test('says that DAX is proven only if it is', (t) => {
  const { dax } = UNIT;
  const looks = dax.looks.map((look) => ({ ...look, statxDax: null }));
  const compared = (all: typeof dax.looks): UnitResult => ({
    ...UNIT,
    dax: { ...dax, looks: all.map((look) => ({ ...look, dataSame: true })) },
  });
  const cases: [RegExp, UnitResult][] = [
    [/DAX +not proven \(rw\)/, { ...UNIT, dax: { ...dax, proven: false, mountOptions: 'rw' } }],
    [
      /DAX +not proven: nothing was mounted/,
      { ...UNIT, dax: { ...dax, proven: false, looks: [] } },
    ],
    [/DAX +not in use, as requested/, { ...UNIT, control: true, dax: { ...dax, proven: false } }],
    [/DAX +proven by mount option only \(no statx/, { ...UNIT, dax: { ...dax, looks } }],
    [
      /DAX +proven by mount option, statx and data of a fresh file, in 2 checks/,
      compared(dax.looks),
    ],
    [/DAX +proven by mount option and data of a fresh file \(no statx/, compared(looks)],
    [/driver +ext4, not ext2/, { ...UNIT, dax: { ...dax, driver: 'ext4' } }],
    [/driver +nothing was mounted/, { ...UNIT, dax: { ...dax, driver: 'none' } }],
    [/driver +ext2, built in/, { ...UNIT, dax: { ...dax, module: null } }],
  ];
  for (const [expected, unit] of cases) {
    const text = summary([unit]);
    t.match(text, expected);
    if (!unit.dax.proven) t.notMatch(text, /DAX +proven/);
  }
  t.end();
});

t.test('escapes text from the guest', (t) => {
  const nasty = 'x\x1b[2J\x07\r\n\u202ePASS';
  const text = summary([
    {
      ...UNIT,
      verdict: 'fail',
      reason: nasty,
      findings: [{ ...FINDING, message: nasty, device: nasty }],
      dax: { ...UNIT.dax, driver: nasty, mountOptions: nasty, proven: false },
    },
  ]);
  t.notMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  t.equal(text.split('\n').length, 10, 'no lines of its own');
  t.end();
});

t.test('shows one finding of each kind, and the number of others', (t) => {
  const findings = [
    ...Array.from({ length: 8 }, (_, n) => ({ ...FINDING, inode: n })),
    ...Array.from({ length: 6 }, (_, n) => ({ ...FINDING, signature: `s${n}`, inode: 3 })),
  ];
  const text = summary([{ ...UNIT, verdict: 'fail', reason: 'x', findings }]);
  t.equal(text.match(/finding {2}/g)?.length, 5);
  t.match(text, /\n {18}and 7 more like it; inodes 0, 1, 2, 3, 4 and 3 others in total\n/);
  t.match(text, /\n {18}and 2 more findings of 2 other kinds\n/);
  t.match(text, /\n {18}inode 3 appears in 7 of these kinds\n/);
  t.match(text, /replay +daxrepro run ext2 generic\/002/);
  t.end();
});

t.test('counts several units, and says if nothing ran', (t) => {
  const units: UnitResult[] = [UNIT, { ...UNIT, attempt: 2 }, { ...UNIT, verdict: 'invalid' }];
  t.match(summary(units), /\n3 units in 1\.2 s: 2 pass, 1 invalid\n/);
  t.match(summary(units), /1 more like this: attempt 2/);
  t.match(summary([]), /^Nothing ran\.\n/);
  t.end();
});

t.test('uses colours only if asked to', (t) => {
  t.notMatch(summary([UNIT]), /\x1b/);
  t.match(summary([UNIT], true), /^\x1b\[1;32mPASS {3}\x1b\[0m/);
  t.match(summary([{ ...UNIT, verdict: 'fail' }], true), /^\x1b\[1;31mFAIL/);
  t.end();
});
