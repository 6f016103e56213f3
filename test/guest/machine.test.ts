import t from 'tap';
import {
  deviceAddresses,
  isSaveable,
  kernelCommandLine,
  type MachineShape,
  PMEM_KINDS,
  placeRegions,
  plugCommands,
  qemuArgv,
} from '../../cli/guest/machine.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const SHAPE: MachineShape = {
  pmem: 'memmap',
  deviceSize: 256 * MIB,
  memory: 1024 * MIB,
  cpus: 1,
  accelerator: 'tcg',
};
const FILES = { qemu: '/bin/qemu', kernel: '/k', initramfs: '/i', devices: [] as string[] };

/** The values of an option, in order. */
const values = (argv: string[], option: string) =>
  argv.flatMap((word, index) => (word === option ? [argv[index + 1] ?? ''] : []));

/**
 * Where q35 puts memory, from its source (pc_q35_init): all below 4 GiB if there is less than
 * 0xb0000000 of it, else 2 GiB below and the rest from 4 GiB on.
 */
function ramOf(memory: number): [number, number][] {
  return memory < 0xb0000000
    ? [[0, memory]]
    : [
        [0, 2 * GIB],
        [4 * GIB, 4 * GIB + memory - 2 * GIB],
      ];
}

t.test('places regions in memory: apart, aligned, clear of the kernel', (t) => {
  const sizes = new Set([2 * MIB, 16 * MIB, 126 * MIB, 128 * MIB, 130 * MIB, 300 * MIB, 512 * MIB]);
  // Around each power of two, and across the step where memory no longer fits below 4 GiB.
  for (let size = 2 * MIB; size <= 64 * GIB; size *= 2) {
    for (const more of [-2 * MIB, 0, 2 * MIB]) if (size + more > 0) sizes.add(size + more);
  }
  for (let size = 500 * MIB; size <= 1000 * MIB; size += 2 * MIB) sizes.add(size);
  let above = 0;
  for (const memory of [512 * MIB, GIB, 1.5 * GIB, 2 * GIB, 3 * GIB, 8 * GIB]) {
    for (const deviceSize of sizes) {
      if (deviceSize > 64 * GIB) continue;
      const placed = placeRegions({ ...SHAPE, memory, deviceSize });
      const ram = ramOf(placed.memory);
      const wrong = (what: string) =>
        t.fail(`${what}: ${deviceSize / MIB} MiB, memory ${memory / MIB} MiB`);
      const [first, second] = placed.regions;
      for (const { start, size } of placed.regions) {
        if (size !== deviceSize) wrong('another size');
        if (start % (128 * MIB) !== 0) wrong('not at a section');
        if (!ram.some(([from, to]) => start >= from && start + size <= to)) wrong('outside memory');
        if (start >= 4 * GIB) above += 1;
      }
      if (first.start + first.size + 128 * MIB > second.start) wrong('no section between them');
      const ordinary =
        ram.reduce((sum, [from, to]) => sum + to - from, 0) - first.size - second.size;
      if (ordinary < memory) wrong('less ordinary memory than was asked for');
      // QEMU puts the initramfs at the end of what is below 4 GiB, the kernel at 16 MiB.
      const [, end] = ram[0] as [number, number];
      for (const { start, size } of placed.regions) {
        if (start < end && start + size > end - 256 * MIB) wrong('where the initramfs goes');
        if (start < 256 * MIB) wrong('where the kernel goes');
      }
      const argv = qemuArgv({ ...SHAPE, memory, deviceSize }, FILES);
      if (values(argv, '-m')[0] !== `${placed.memory / MIB}M`) wrong('-m');
      if (!/^\d+M$/.test(values(argv, '-m')[0] ?? '')) wrong('a broken number');
    }
  }
  t.ok(above > 100, 'both sides of 4 GiB were tried');
  t.end();
});

t.test('tells the kernel about the regions', (t) => {
  const line = kernelCommandLine(SHAPE);
  const [first, second] = placeRegions(SHAPE).regions;
  t.strictSame(
    [...line.matchAll(/memmap=0x([0-9a-f]+)!0x([0-9a-f]+)/g)].map(([, size, start]) => ({
      size: Number.parseInt(size ?? '', 16),
      start: Number.parseInt(start ?? '', 16),
    })),
    [
      { size: first.size, start: first.start },
      { size: second.size, start: second.start },
    ],
  );
  for (const pmem of PMEM_KINDS) {
    t.match(kernelCommandLine({ ...SHAPE, pmem }), ` daxrepro_pmem=${pmem}`);
    t.equal(kernelCommandLine({ ...SHAPE, pmem }).includes('memmap='), pmem === 'memmap');
  }
  t.match(line, /\bpanic=-1\b/, 'a panic ends the machine');
  t.end();
});

for (const pmem of PMEM_KINDS) {
  for (const accelerator of ['kvm', 'tcg'] as const) {
    t.test(`${pmem} with ${accelerator}`, (t) => {
      const devices = pmem === 'memmap' ? [] : ['/dev/fd/7', '/dev/fd/8'];
      const argv = qemuArgv({ ...SHAPE, pmem, accelerator, cpus: 3 }, { ...FILES, devices });
      const text = argv.join(' ');

      t.equal(argv[0], '/bin/qemu');
      t.strictSame(values(argv, '-kernel'), ['/k']);
      t.strictSame(values(argv, '-initrd'), ['/i']);
      t.strictSame(values(argv, '-smp'), ['3']);
      t.match(values(argv, '-machine')[0], `accel=${accelerator}`);
      const processor = accelerator === 'kvm' ? 'host' : 'max';
      // Linux creates no CXL region where it sees the hypervisor's bit.
      t.strictSame(values(argv, '-cpu'), [`${processor}${pmem === 'cxl' ? ',-hypervisor' : ''}`]);

      t.match(values(argv, '-sandbox')[0], /^on,/);
      for (const deny of ['obsolete', 'elevateprivileges', 'spawn', 'resourcecontrol']) {
        t.match(values(argv, '-sandbox')[0], `${deny}=deny`);
      }
      t.ok(argv.includes('-nodefaults') && argv.includes('-no-user-config'));
      t.ok(argv.includes('-no-reboot'), 'a panic ends QEMU');
      t.notMatch(text, /-net|virtio-net|e1000|user,id|hostfwd|-fsdev|-virtfs|vhost|-monitor|-qmp/);

      const chardevs = values(argv, '-chardev');
      t.strictSame(chardevs, [
        'file,id=console,path=/dev/fd/3,append=on',
        'socket,id=channel,fd=4',
        'socket,id=heartbeat,fd=5',
        'socket,id=monitor,fd=6',
      ]);

      const backends = values(argv, '-object').filter((one) => one.includes('memory-backend-file'));
      const drives = values(argv, '-drive');
      t.equal(backends.length, ['nvdimm', 'virtio-pmem', 'cxl'].includes(pmem) ? 2 : 0);
      t.equal(drives.length, pmem === 'none' ? 2 : 0);
      for (const backend of backends) {
        t.match(backend, /share=on/);
        t.match(backend, `size=${SHAPE.deviceSize}`);
      }
      const hotplug = /^(\d+)M,slots=2,maxmem=(\d+)M$/.exec(values(argv, '-m')[0] ?? '');
      if (backends.length > 0 && pmem !== 'cxl') {
        t.equal(Number(hotplug?.[1]), 1024);
        t.ok(Number(hotplug?.[2]) * MIB >= SHAPE.memory + 2 * SHAPE.deviceSize + 2 * GIB);
      } else {
        t.notOk(hotplug);
      }
      t.equal(/nvdimm=on/.test(text), pmem === 'nvdimm');
      t.end();
    });
  }
}

t.test('gives each CXL device a port, a label area and a serial number of its own', (t) => {
  const shape = { ...SHAPE, pmem: 'cxl' } as const;
  const argv = qemuArgv(shape, { ...FILES, devices: ['/a', '/b'] });
  t.match(
    values(argv, '-machine')[0],
    /^q35,accel=tcg,cxl=on,cxl-fmw\.0\.targets\.0=cxl\.1,cxl-fmw\.0\.size=4G$/,
  );
  t.strictSame(
    values(argv, '-device').filter((device) => /cxl/.test(device)),
    [
      'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1',
      'cxl-rp,port=0,bus=cxl.1,id=port0,chassis=0,slot=2',
      'cxl-type3,bus=port0,persistent-memdev=memory0,lsa=labels0,id=cxl0,sn=1',
      'cxl-rp,port=1,bus=cxl.1,id=port1,chassis=0,slot=3',
      'cxl-type3,bus=port1,persistent-memdev=memory1,lsa=labels1,id=cxl1,sn=2',
    ],
  );
  t.strictSame(
    values(argv, '-object').map((object) => /id=(\w+)/.exec(object)?.[1]),
    ['memory0', 'labels0', 'memory1', 'labels1'],
  );
  const large = qemuArgv({ ...shape, deviceSize: 3 * GIB }, { ...FILES, devices: ['/a', '/b'] });
  t.match(values(large, '-machine')[0], /fmw\.0\.size=8G$/, 'room for both');
  t.strictSame(
    PMEM_KINDS.filter((pmem) => !isSaveable({ pmem })),
    ['cxl'],
  );
  t.end();
});

t.test('plugs virtio-pmem into clones, because QEMU does not save it', (t) => {
  const shape = { ...SHAPE, pmem: 'virtio-pmem' } as const;
  for (const mode of ['save', 'resume'] as const) {
    const argv = qemuArgv(shape, { ...FILES, devices: [] }, { file: '/memory', mode });
    t.notMatch(argv.join(' '), 'virtio-pmem-pci');
    t.match(values(argv, '-append')[0], / daxrepro_devices=plugged$/);
    const slots = values(argv, '-device').filter((device) => device.startsWith('pcie-root-port,'));
    t.equal(new Set(slots.map((slot) => /id=(\w+)/.exec(slot)?.[1])).size, 2);
  }
  const booted = qemuArgv(shape, { ...FILES, devices: ['/a', '/b'] });
  t.notMatch(booted.join(' '), /pcie-root-port|daxrepro_devices/);

  const commands = plugCommands(shape, ['/a', '/b']);
  t.match(commands, [
    ['object-add', { 'mem-path': '/a', size: shape.deviceSize, id: 'memory0' }],
    [
      'device_add',
      { driver: 'virtio-pmem-pci', memdev: 'memory0', memaddr: 4 * GIB, bus: 'slot1' },
    ],
    ['object-add', { 'mem-path': '/b', id: 'memory1' }],
    ['device_add', { memdev: 'memory1', memaddr: 5 * GIB, bus: 'slot0' }],
  ]);
  t.end();
});

t.test("knows the devices' addresses beforehand", (t) => {
  // The first device, as QEMU 7.2 and 10.0 report it (`info memory-devices`).
  for (const [memory, first] of [
    [1024 * MIB, 4 * GIB],
    [2816 * MIB, 5 * GIB],
    [4 * GIB, 6 * GIB],
  ] as const) {
    t.same(deviceAddresses({ ...SHAPE, memory }), [first, first + GIB]);
  }
  t.same(deviceAddresses({ ...SHAPE, deviceSize: 1.5 * GIB }), [4 * GIB, 6 * GIB]);
  for (const [pmem, option] of [
    ['nvdimm', 'addr'],
    ['virtio-pmem', 'memaddr'],
  ] as const) {
    const argv = qemuArgv({ ...SHAPE, pmem }, { ...FILES, devices: ['/a', '/b'] });
    t.match(argv.join(' '), `memdev=memory1,${option}=${5 * GIB}`);
  }
  t.end();
});

t.test('escapes commas in paths', (t) => {
  const path = '/tmp/a,readonly=on,b';
  for (const pmem of ['nvdimm', 'virtio-pmem', 'none'] as const) {
    const argv = qemuArgv({ ...SHAPE, pmem }, { ...FILES, devices: [path, path] });
    const carriers = [...values(argv, '-object'), ...values(argv, '-drive')];
    t.equal(carriers.length, 2);
    for (const carrier of carriers) {
      // Like QEMU: a doubled comma belongs to the value.
      const options = carrier.split(/(?<!,),(?!,)/).map((option) => option.replaceAll(',,', ','));
      t.ok(options.includes(`${pmem === 'none' ? 'file' : 'mem-path'}=${path}`), carrier);
    }
  }
  t.end();
});

t.test('further devices follow SCRATCH_DEV, each of its own size', (t) => {
  const additional = [128 * MIB, 512 * MIB];
  const shape = { ...SHAPE, additional };
  const { regions, memory } = placeRegions(shape);
  t.strictSame(
    regions.map(({ size }) => size),
    [SHAPE.deviceSize, SHAPE.deviceSize, ...additional],
  );
  for (const [index, { start, size }] of regions.entries()) {
    const next = regions[index + 1];
    if (next) t.ok(start + size + 128 * MIB <= next.start, 'a section of memory between them');
    else t.ok(start + size <= memory, 'inside the memory');
  }
  t.match(kernelCommandLine(shape), / daxrepro_additional=2( |$)/);
  t.notMatch(kernelCommandLine(SHAPE), /daxrepro_additional/);
  const files = { ...FILES, devices: ['/d/0', '/d/1', '/d/2', '/d/3'] };
  const nvdimm = qemuArgv({ ...shape, pmem: 'nvdimm' }, files);
  t.match(values(nvdimm, '-m')[0], /,slots=4,/);
  t.match(
    values(nvdimm, '-object').map((one) => /size=(\d+)/.exec(one)?.[1]),
    [SHAPE.deviceSize, SHAPE.deviceSize, ...additional].map(String),
  );
  const addresses = deviceAddresses(shape);
  t.equal(new Set(addresses).size, 4);
  const plugged = plugCommands({ ...shape, pmem: 'virtio-pmem' }, files.devices);
  t.match(plugged.at(-1), ['device_add', { memaddr: addresses[3], bus: 'slot0' }]);
  t.match(plugged[1], ['device_add', { memaddr: addresses[0], bus: 'slot3' }]);
  t.end();
});
