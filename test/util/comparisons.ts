import { differencesOf } from '../../cli/compare/differences.js';
import { holds } from '../../cli/compare/expectations.js';
import type { Finding } from '../../cli/findings/finding.js';
import { NOT_CUT } from '../../cli/record/power-cut.js';
import { cellNames, type Expected } from '../../cli/results/case.js';
import {
  type ComparedCase,
  type CompareResult,
  type CompareUnit,
  cellResults,
} from '../../cli/results/compare-result.js';
import { RESULT, UNIT } from './results.js';

/** Comparisons for tests of reports: units pass unless specified otherwise. */

export const CORRUPTED: Finding = {
  tool: 'e2fsck',
  device: '/dev/pmem0',
  pass: 2,
  message: 'Directory inode 12, block #0, offset 0: directory corrupted',
  signature: 'e2fsck:directory-inode-block-offset-directory-corrupted',
  severity: 'corruption',
};

export const FAIL: Partial<CompareUnit> = {
  verdict: 'fail',
  reason: `e2fsck: ${CORRUPTED.message}`,
  findings: [CORRUPTED],
};

export const CASE: ComparedCase = {
  file: 'case.yaml',
  title: null,
  kernel: 'debian:6.1',
  variants: [
    { name: 'base', changes: [] },
    { name: 'early-return', changes: ['/home/me/early-return.cocci'] },
  ],
  fileSystems: ['ext2', 'xfs'],
  tests: ['generic/002'],
  pmem: ['memmap'],
  powerCut: [false],
};

/** `spoil` changes the result of an attempt; `expect` sets the expectation of its cell. */
export function comparison(
  spoil: (unit: CompareUnit) => Partial<CompareUnit> | undefined = () => undefined,
  more: {
    case?: Partial<ComparedCase>;
    repeat?: number;
    expect?: (unit: CompareUnit) => Expected | null;
    result?: Partial<CompareResult>;
  } = {},
): CompareResult {
  const compared = { ...CASE, ...more.case };
  const units = cellNames(compared).flatMap(
    ({ fs, test, pmem, variant, powerCut, kernel: asked }) =>
      Array.from({ length: more.repeat ?? 1 }, (_, index): CompareUnit => {
        const changes = compared.variants.find(({ name }) => name === variant)?.changes ?? [];
        const patches = changes.map((file) => ` --patch ${file}`).join('');
        const replay = `daxrepro run ${fs} ${test}${patches}`;
        const named = { fs, test, pmem, variant, replay, attempt: index + 1 };
        const cut = powerCut ? { powerCut: NOT_CUT } : {};
        const kernel = asked === undefined ? UNIT.kernel : { ...UNIT.kernel, spec: asked, asked };
        const plain = { ...UNIT, ...named, ...cut, kernel, expected: null, held: true };
        const unit = { ...plain, ...spoil(plain) };
        const expected = more.expect?.(unit) ?? null;
        return { ...unit, expected, held: holds(unit, expected) };
      }),
  );
  const result: CompareResult = {
    ...RESULT,
    command: ['compare', 'case.yaml'],
    case: compared,
    units,
    differences: [],
    rates: [],
    tools: { e2fsprogs: '1.47.0', xfsprogs: '6.1.0' },
    host: { ...RESULT.host, qemu: 'QEMU emulator version 7.2.22 (Debian)' },
    durationSeconds: 4,
    ...more.result,
  };
  return { ...result, differences: differencesOf(compared, cellResults(result)) };
}

/** The case of February 2016, in small. */
export const EARLY_RETURN = (unit: CompareUnit) =>
  unit.fs === 'ext2' && unit.variant === 'early-return' ? FAIL : undefined;
