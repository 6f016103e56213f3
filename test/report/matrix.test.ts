import t from 'tap';
import { type KeptMatrix, matrixOf } from '../../cli/report/matrix.js';
import type { RunResult, UnitResult } from '../../cli/results/run-result.js';
import { comparison, EARLY_RETURN } from '../util/comparisons.js';
import { keptComparison, keptRun } from '../util/kept.js';
import { RESULT, UNIT } from '../util/results.js';

let runs = 0;

function run(units: Partial<UnitResult>[], more: Partial<RunResult> = {}): KeptMatrix {
  runs += 1;
  const result = { ...RESULT, ...more, units: units.map((unit) => ({ ...UNIT, ...unit })) };
  return keptRun(result, `/runs/${runs}`) as KeptMatrix;
}

/** The columns with their cells: `base: ext2 generic/002 pass`. */
function columns(...kept: [KeptMatrix, ...KeptMatrix[]]): string[] {
  const { units } = matrixOf(kept);
  return units.map(({ variant, fs, test, verdict }) => `${variant}: ${fs} ${test} ${verdict}`);
}

const OLDER = { spec: 'debian:5.10', release: '5.10.0', id: 'old' };

t.test('leaves a single comparison unchanged', async (t) => {
  const result = comparison(EARLY_RETURN);
  const matrix = matrixOf([keptComparison(result) as KeptMatrix]);
  const { verdict: _, ...others } = result;
  t.match(matrix, { ...others, directory: '/runs/2' });
});

t.test('collects the versions of tools', async (t) => {
  const tools = (...kept: [KeptMatrix, ...KeptMatrix[]]) => matrixOf(kept).tools;
  const old = run([{}], { tools: { e2fsprogs: '1.46.2' } });
  const young = run([{}], { tools: { e2fsprogs: '1.47.0', xfsprogs: '6.1.0' } });
  t.strictSame(tools(young), { e2fsprogs: '1.47.0', xfsprogs: '6.1.0' });
  t.strictSame(tools(old, young, old), { e2fsprogs: '1.46.2, 1.47.0', xfsprogs: '6.1.0' });
  t.strictSame(tools(run([{}])), {});
});

t.test('continues a column with runs of the same kernel and other tests', async (t) => {
  t.strictSame(columns(run([{}]), run([{ fs: 'xfs' }]), run([{ test: 'generic/003' }])), [
    'base: ext2 generic/002 pass',
    'base: xfs generic/002 pass',
    'base: ext2 generic/003 pass',
  ]);
});

t.test('never counts attempts of two runs together', async (t) => {
  t.strictSame(columns(run([{}]), run([{ verdict: 'fail' }])), [
    'base, run 1: ext2 generic/002 pass',
    'base, run 2: ext2 generic/002 fail',
  ]);
});

t.test(
  'makes a column per kernel, also for kernels of the same name with different ids',
  async (t) => {
    t.strictSame(columns(run([{}]), run([{ kernel: OLDER }])), [
      'base, debian:6.1: ext2 generic/002 pass',
      'base, debian:5.10: ext2 generic/002 pass',
    ]);
    t.strictSame(
      columns(run([{}]), run([{ fs: 'xfs', kernel: { ...UNIT.kernel, id: 'other' } }])),
      ['base, run 1: ext2 generic/002 pass', 'base, run 2: xfs generic/002 pass'],
    );
  },
);

t.test('names patched runs by their patches, and keeps their columns separate', async (t) => {
  const patched = (fs: string, ...files: string[]) =>
    run([{ fs, variant: 'patched' }], {
      command: ['run', fs, 'generic/002', ...files.flatMap((file) => ['--patch', file])],
    });
  t.strictSame(columns(run([{}]), patched('ext2', '/a/fix.patch'), patched('xfs', 'v2.mbox')), [
    'base: ext2 generic/002 pass',
    'fix.patch: ext2 generic/002 pass',
    'v2.mbox: xfs generic/002 pass',
  ]);
  const same = [patched('ext2', 'a.patch'), patched('xfs', 'a.patch')] as const;
  t.match(columns(...same), ['a.patch, run 1: ext2', 'a.patch, run 2: xfs']);
  const { variants } = matrixOf([patched('ext2', '/a/fix.patch', 'b.patch')]).case;
  t.match(variants, [{ name: 'patched', changes: ['/a/fix.patch', 'b.patch'] }]);
});

t.test('leaves out rows that did not run, and compares with the first column', async (t) => {
  const matrix = matrixOf([
    run([{}, { fs: 'xfs', test: 'xfs/001' }]),
    run([{ verdict: 'fail', reason: 'it differs', kernel: OLDER }]),
  ]);
  t.match(matrix.case.rows, [
    { fs: 'ext2', test: 'generic/002' },
    { fs: 'xfs', test: 'xfs/001' },
  ]);
  t.match(matrix.differences, [{ base: 'base, debian:6.1', variant: 'base, debian:5.10' }]);
  t.equal(matrix.verdict, 'fail');
  t.equal(matrix.directories.length, 2);
});

t.test('keeps expected failures, and finds files from any directory', async (t) => {
  const image = { device: 'd', file: '001/image.tar.gz', bytes: 1 };
  const failed = run([
    { verdict: 'fail', expectedFailure: { reason: 'known', held: true }, images: [image] },
  ]);
  const [unit] = matrixOf([failed, run([{ kernel: OLDER }])]).units;
  t.match(unit, { held: true, expected: { verdict: 'fail' } });
  t.match(unit?.images, [{ file: `${failed.directory}/001/image.tar.gz` }]);
  t.match(matrixOf([failed]).units[0]?.images, [image], 'alone it is named as in the run');
});
