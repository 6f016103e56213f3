import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { CompareResult } from '../../cli/results/compare-result.js';
import { daxrepro, describe, runJson } from './daxrepro.js';

// Stores reach the medium in another way on an NVDIMM than on virtio-pmem, and the verdicts differ.
t.setTimeout(15 * 60 * 1000);

const variant = (name: string) =>
  fileURLToPath(new URL(`../../kernels/variants/${name}.cocci`, import.meta.url));
const TEST = 'power-cut/mmap-fsync';

t.test('finds lines without write-back on an NVDIMM, not where requests flush', async (t) => {
  const what = ['--base', '--variant', `no-flush=${variant('dax-no-flush')}`];
  const where = ['--fs', 'ext2', '--test', TEST, '--pmem', 'nvdimm', '--pmem', 'virtio-pmem'];
  const { stdout, stderr } = await daxrepro(
    ['compare', ...what, ...where, '--power-cut', '--json'],
    t.testdir(),
  );
  const { units } = JSON.parse(stdout || '{"units":[]}') as CompareResult;
  t.same(
    units.map((unit) => `${unit.pmem} ${unit.variant} ${unit.verdict}`).sort(),
    [
      'nvdimm base pass',
      'nvdimm no-flush fail',
      'virtio-pmem base pass',
      'virtio-pmem no-flush pass',
    ],
    stderr,
  );
  const found = units.find(({ verdict }) => verdict === 'fail')?.findings ?? [];
  t.match(found[0], {
    device: '/dev/pmem0',
    path: '/a',
    signature: 'power-cut:data:fsync:store_bytes:not-written-back',
  });
});

t.test('finds a missing flush request on virtio-pmem', async (t) => {
  const words = ['ext2', TEST, '--pmem', 'virtio-pmem', '--patch', variant('dax-no-fence')];
  const { result, exitCode } = await runJson([...words, '--power-cut'], t.testdir());
  t.equal(exitCode, 1, describe(result));
  t.match(result.units[0]?.findings[0], {
    device: '/dev/pmem0',
    path: '/a',
    signature: 'power-cut:data:fsync:store_bytes:no-flush-request',
    message: /the device was not asked for a flush since it was stored$/,
  });
});
