import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readCaseFile } from '../../cli/compare/case-file.js';
import { newCase, whyNoCase } from '../../cli/compare/new-case.js';
import type { Case } from '../../cli/results/case.js';
import type { CompareUnit } from '../../cli/results/compare-result.js';

const place = t.testdir({
  patches: { 'fix.patch': '--- a/fs/ext4/inode.c\n+++ b/fs/ext4/inode.c\n' },
  cases: {},
});

const CASE: Case = {
  file: null,
  title: null,
  kernel: 'debian:6.1',
  suite: 'builtin',
  variants: [
    { name: 'base', changes: [] },
    { name: 'fix', changes: [join(place, 'patches/fix.patch')] },
  ],
  fileSystems: ['ext4'],
  tests: ['generic/002'],
  pmem: ['memmap'],
  powerCut: [false],
  options: { timeout: '60', size: { ext4: '512M' }, partition: true, stack: 'stripe' },
  expectations: [],
};

function unit(variant: string, verdict: string, more: Partial<CompareUnit> = {}): CompareUnit {
  const common = {
    fs: 'ext4',
    test: 'generic/002',
    pmem: 'memmap',
    reason: 'because',
    findings: [],
  };
  return { ...common, variant, verdict, ...more } as unknown as CompareUnit;
}

const DAMAGE = [
  { severity: 'notice', signature: 'kernel:nothing' },
  { severity: 'repairable', signature: 'kernel:warning-x' },
  { severity: 'corruption', signature: 'e2fsck:directory-corrupted' },
] as unknown as CompareUnit['findings'];

t.test('writes a case that daxrepro reads, with what was seen', async (t) => {
  const file = join(place, 'cases/lost.yaml');
  const units = [unit('base', 'fail', { findings: DAMAGE }), unit('fix', 'pass')];
  t.ok(whyNoCase(units).ok);
  writeFileSync(file, newCase(file, 'a title: with a colon', CASE, units));
  const read = await readCaseFile(file, {});
  if (!read.ok) throw new Error(read.failure.message);
  t.match(read.value, {
    title: 'a title: with a colon',
    kernel: 'debian:6.1',
    fileSystems: ['ext4'],
    tests: ['generic/002'],
    options: { timeout: '60', size: { ext4: '512M' }, partition: true, stack: 'stripe' },
  });
  t.strictSame(read.value.variants[1]?.changes, [join(place, 'patches/fix.patch')]);
  t.match(read.value.expectations, [
    { expected: { verdict: 'pass' } },
    { expected: { verdict: 'fail', signature: 'e2fsck:directory-corrupted' } },
  ]);
});

t.test('writes none if the bug does not show, or the fix does not cure it', (t) => {
  const no = (units: CompareUnit[], message: RegExp, kind = 'usage') =>
    t.match(whyNoCase(units), { ok: false, failure: { kind, message } });
  no([unit('base', 'pass'), unit('fix', 'pass')], /unchanged kernel does not fail/);
  no([unit('base', 'notrun'), unit('fix', 'notrun')], /unchanged kernel does not fail/);
  no([unit('base', 'fail'), unit('fix', 'fail')], /With the fix, 1 unit still fails/);
  no([unit('base', 'fail'), unit('fix', 'error')], /fix has no verdict/, 'tool-failed');
  no([unit('base', 'invalid'), unit('fix', 'pass')], /base has no verdict/, 'tool-failed');
  t.end();
});
