import t from 'tap';
import type { MachineShape, PmemKind } from '../../cli/guest/machine.js';
import type { PowerCutEvent } from '../../cli/power-cut/events.js';
import { pmemRanges } from '../../cli/power-cut/ranges.js';
import { watchArguments } from '../../cli/power-cut/watch.js';
import { whyNotWatched } from '../../cli/power-cut/watched.js';

// What is watched has to be what the guest has: else all would be found lost, or nothing.

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const shape = (pmem: PmemKind): MachineShape => ({
  pmem,
  deviceSize: 64 * MIB,
  memory: 1024 * MIB,
  cpus: 1,
  accelerator: 'tcg',
});

function events(before: number, during: number): PowerCutEvent[] {
  const counters = { stores: 9, writeBacks: 0, fences: 0, requests: during, untranslated: 0 };
  return [
    { event: 'begin', sequence: 2, label: '', requests: before },
    { event: 'stop', sequence: 3, label: '', counters },
  ];
}

/** Where both are, given where the first is: their distance has its own test. */
const both = (pmem: PmemKind, first: number): [number, number] => {
  const [one, other] = pmemRanges(shape(pmem), '', ['', '']);
  return [first, first + ((other?.start ?? 0) - (one?.start ?? 0))];
};

t.test('the devices are where the guest says', async (t) => {
  for (const [pmem, address] of [
    ['memmap', 768 * MIB],
    ['nvdimm', 4 * GIB + 2 * MIB],
    ['virtio-pmem', 4 * GIB],
  ] as const) {
    const [one, other] = both(pmem, address);
    const why = (...addresses: (number | undefined)[]) =>
      whyNotWatched(shape(pmem), addresses, events(1, 1));
    t.equal(why(one, other), undefined, pmem);
    t.match(
      why(one + 4096, other),
      /^TEST_DEV is at 0x[0-9a-f]+000 in the guest's memory, and 0x[0-9a-f]+ was watched$/,
    );
    t.match(why(one, other - 4096), /^SCRATCH_DEV is at 0x/);
    t.match(why(undefined, other), /does not say where TEST_DEV is/);
    t.match(why(one), /does not say where SCRATCH_DEV is/);
  }
});

t.test('what the plugin cannot do is a problem from the first image on', async (t) => {
  const problem: PowerCutEvent = { event: 'problem', sequence: 4, text: 'the disk is full' };
  const all = [...events(1, 1), problem];
  t.equal(whyNotWatched(shape('memmap'), both('memmap', 768 * MIB), all), 'the disk is full');
});

t.test('requests: one at least, before the script or in it', async (t) => {
  const why = (...seen: [number, number]) =>
    whyNotWatched(shape('virtio-pmem'), both('virtio-pmem', 4 * GIB), events(...seen));
  t.equal(why(3, 0), undefined, 'a file system that asks for none is what is looked for');
  t.equal(why(0, 1), undefined);
  t.match(why(0, 0), /^QEMU was not seen to flush TEST_DEV/);
  t.equal(
    whyNotWatched(shape('nvdimm'), both('nvdimm', 4 * GIB + 2 * MIB), events(0, 0)),
    undefined,
  );
});

t.test('what QEMU is told: both devices, in their own files where they have some', async (t) => {
  const watched = (pmem: PmemKind, devices: string[]) =>
    watchArguments(
      { seed: 5 },
      { cuts: 2, states: 1 },
      {
        ...{ plugin: '/my cache/power-cut.so', preload: '/dev/fd/11', directory: '/cuts' },
        ...{ memory: '/memory', devices, shape: shape(pmem) },
      },
    );
  const text = (pmem: PmemKind, ...devices: string[]) =>
    watched(pmem, devices).arguments[1]?.replaceAll(',', '\n') ?? '';
  t.match(text('memmap'), /^range0-file=\/memory$/m);
  t.match(text('nvdimm', '/device-0', '/device-1'), /^range0-file=\/device-0$/m);
  t.match(text('virtio-pmem', '/dev/fd/8', '/dev/fd/9'), /^range0-file=\/dev\/fd\/8$/m);
  t.match(text('virtio-pmem', '/dev/fd/8', '/dev/fd/9'), /^range0-flush=requests$/m);
  t.match(text('virtio-pmem', '/dev/fd/8', '/dev/fd/9'), /^range1-file=\/dev\/fd\/9$/m);
  t.same(watched('nvdimm', ['/device-0', '/device-1']).environment, {});
  t.same(watched('virtio-pmem', ['/dev/fd/8', '/dev/fd/9']).environment, {
    LD_PRELOAD: '/dev/fd/11',
  });
});
