import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { CompareResult } from '../../cli/results/compare-result.js';
import { cannotCut, daxrepro, describe, runJson } from './daxrepro.js';

// A part of fixtures/cases/2016-02-lost-flush.yaml: only power cuts show a lost flush.
t.setTimeout(15 * 60 * 1000);

const skip = await cannotCut();
const variant = fileURLToPath(
  new URL('../../kernels/variants/dax-no-flush.cocci', import.meta.url),
);
const STAND_IN = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));
const SIGNATURE = 'power-cut:data:msync:store_bytes:not-written-back';

t.test('passes a lost flush without power cuts, and fails it with them', { skip }, async (t) => {
  const directory = t.testdir();
  const file = join(directory, 'case.yaml');
  writeFileSync(
    file,
    `variants: {base: [], no-flush: ${JSON.stringify(variant)}}
filesystems: ext2
tests: power-cut/mmap-msync
power-cut: [false, true]
expect:
  default: pass
  cells: [{variant: no-flush, power-cut: true, verdict: fail, signature: ${SIGNATURE}}]
`,
  );
  const ran = await daxrepro(['compare', file, '--json'], directory);
  t.equal(ran.exitCode, 0, ran.stderr);
  const { units } = JSON.parse(ran.stdout) as CompareResult;
  t.strictSame(
    units.map((unit) => [unit.variant, unit.powerCut !== undefined, unit.verdict]),
    [
      ['base', false, 'pass'],
      ['no-flush', false, 'pass'],
      ['base', true, 'pass'],
      ['no-flush', true, 'fail'],
    ],
  );
  const [found] = units[3]?.findings ?? [];
  t.match(found, {
    path: '/a',
    powerCut: {
      ...{ promise: 'msync', from: 0, to: 65536, state: 'nothing', writtenBackBy: null },
      storedBy: { in: 'promises', function: 'store_bytes' },
    },
  });
});

t.test('ext4 keeps what its journal commits', { skip }, async (t) => {
  const { result, exitCode } = await runJson(
    ['ext4', 'power-cut/append', '--power-cut', '--cuts', '8'],
    t.testdir(),
  );
  t.equal(exitCode, 0, describe(result));
  t.match(result.units[0], { verdict: 'pass', powerCut: { promises: 4 } });
});

t.test('sees the sync calls of a test that announces nothing', { skip }, async (t) => {
  const directory = t.testdir();
  const args = ['compare', '--variant', `no-flush=${variant}`, '--fs', 'ext2', '--power-cut'];
  const ran = await daxrepro([...args, '--test', 'dax/mmap-msync', '--json'], directory);
  const { units } = JSON.parse(ran.stdout) as CompareResult;
  const [base, lost] = units;
  t.match(base, { verdict: 'pass', powerCut: { promises: 6, calls: { seen: 6, changed: 0 } } });
  t.match(lost, { verdict: 'fail', powerCut: { promises: 6 } });
  t.match(
    lost?.findings.find(({ path }) => path === '/files/coherent'),
    {
      signature: 'power-cut:data:msync:not-written-back',
      powerCut: { promise: 'msync', from: 0, to: 64, state: 'nothing', writtenBackBy: null },
    },
  );
});

const describeUnit = (unit?: { reason: string }) => unit?.reason ?? 'no unit';

t.test('under xfstests, on TEST_DEV and on SCRATCH_DEV', { skip }, async (t) => {
  const directory = t.testdir();
  const args = ['compare', '--variant', `no-flush=${variant}`, '--fs', 'ext4', '--power-cut'];
  const suite = ['--suite', STAND_IN, '--size', '64M', '--test', 'generic/020'];
  const ran = await daxrepro([...args, ...suite, '--json'], directory);
  const { units } = JSON.parse(ran.stdout) as CompareResult;
  const [base, lost] = units;
  t.match(base, { verdict: 'pass', powerCut: { calls: { beyond: 0 } } }, describeUnit(base));
  // The calls of check and mkfs are not on these file systems.
  t.match(base?.reason ?? '', /4 of 4 sync calls had their data on the medium/);
  t.match(lost, { verdict: 'fail', outcome: 'not-kept' }, describeUnit(lost));
  t.strictSame(
    lost?.findings
      .filter(({ tool }) => tool === 'power-cut')
      .map(({ device, path, signature, powerCut }) => [
        ...[device, path, signature, powerCut?.from, powerCut?.to],
      ]),
    ['/dev/pmem0', '/dev/pmem1'].map((device) => [
      ...[device, '/mapped', 'power-cut:data:msync:not-written-back', 4096, 12288],
    ]),
  );
});
