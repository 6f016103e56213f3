import t from 'tap';
import { inheritedPath, type MachineShape } from '../../cli/guest/machine.js';
import { powerCutArguments } from '../../cli/power-cut/plugin.js';
import { pmemRanges } from '../../cli/power-cut/ranges.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const SHAPE: MachineShape = {
  pmem: 'memmap',
  deviceSize: 256 * MIB,
  memory: 1024 * MIB,
  cpus: 1,
  accelerator: 'tcg',
};

t.test('memmap: in the file of the memory', async (t) => {
  const low = pmemRanges(SHAPE, '/memory', []);
  t.match(low, [{ file: '/memory', size: 256 * MIB, flush: 'instructions' }, {}]);
  for (const { start, offset } of low) t.equal(offset, start);
  // What is above 4 GiB lies in the file after the 2 GiB below it.
  const high = pmemRanges({ ...SHAPE, deviceSize: 2 * GIB }, '/memory', []);
  t.equal(high.length, 2);
  for (const { start, offset } of high) {
    t.ok(start >= 4 * GIB);
    t.equal(offset, start - 2 * GIB);
  }
});

t.test('devices of their own: in their files', async (t) => {
  // The kernel's own block comes first on an NVDIMM with an fsdax namespace.
  const dimm = { offset: 2 * MIB, size: 254 * MIB, flush: 'instructions' };
  t.match(pmemRanges({ ...SHAPE, pmem: 'nvdimm' }, '/memory', ['/a', '/b']), [
    { start: 4 * GIB + 2 * MIB, file: '/a', ...dimm },
    { start: 5 * GIB + 2 * MIB, file: '/b', ...dimm },
  ]);
  const files = [inheritedPath(0), inheritedPath(1)];
  t.match(pmemRanges({ ...SHAPE, pmem: 'virtio-pmem' }, '/memory', files), [
    { start: 4 * GIB, size: 256 * MIB, file: '/dev/fd/8', offset: 0, flush: 'requests' },
    { start: 5 * GIB, file: '/dev/fd/9' },
  ]);
  t.same(pmemRanges({ ...SHAPE, pmem: 'none' }, '/memory', []), []);
});

t.test("QEMU's arguments", async (t) => {
  const options = {
    plugin: '/a,b/power-cut.so',
    directory: '/out',
    memory: { file: '/memory', low: GIB },
    seed: 7,
    states: 3,
    cutAtPromises: false,
    moments: 10,
    gap: 100,
    lostCalls: 0,
    calls: 0,
    mostCuts: 50,
    mostBytes: GIB,
  };
  const memmap = powerCutArguments({ ...options, ranges: pmemRanges(SHAPE, '/memory', []) });
  t.equal(memmap.arguments[0], '-plugin');
  t.match(
    memmap.arguments[1],
    /^file=\/a,,b\/power-cut\.so,out=\/out,memory=\/memory,low=1073741824,range0-start=\d+,/,
  );
  t.match(
    memmap.arguments[1],
    /,promises=keep,moments=10,gap=100,calls=0,lost-calls=0,max-cuts=50,max-bytes=1073741824$/,
  );
  t.same(memmap.environment, {});
  const ranges = pmemRanges({ ...SHAPE, pmem: 'virtio-pmem' }, '/memory', ['/a', '/b']);
  t.same(powerCutArguments({ ...options, ranges }).environment, {
    LD_PRELOAD: '/a,b/power-cut.so',
  });
  t.same(powerCutArguments({ ...options, ranges, preload: '/dev/fd/11' }).environment, {
    LD_PRELOAD: '/dev/fd/11',
  });
});
