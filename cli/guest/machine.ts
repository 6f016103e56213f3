import type { Layers } from './layers.js';
import type { MonitorCommand } from './monitor.js';
import { escapeComma } from './option-list.js';
import { type Port, recordedPorts, recordingArguments } from './recorded-machine.js';

/**
 * The virtual machine: its memory layout, and the QEMU command line that makes it. Pure, so that a
 * dry run prints exactly what a run starts.
 */

export const PMEM_KINDS = ['memmap', 'nvdimm', 'virtio-pmem', 'cxl', 'none'] as const;
/** How persistent memory is emulated. `none`: two virtio disks, the control without DAX. */
export type PmemKind = (typeof PMEM_KINDS)[number];

export type Accelerator = 'kvm' | 'tcg';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** The properties of a machine. Guests of equal shape do not differ until they get their unit. */
export interface MachineShape extends Layers {
  pmem: PmemKind;
  /** Bytes of each of the two devices; a multiple of 2 MiB. */
  deviceSize: number;
  /** Bytes of each further device (additional-devices.ts, then those of a stack); the same. */
  additional?: readonly number[] | undefined;
  /** Bytes of ordinary memory, a multiple of 128 MiB. */
  memory: number;
  cpus: number;
  /** Further parameters of the kernel, separated by blanks. */
  append?: string | undefined;
  accelerator: Accelerator;
  /** Whether it has a port for the terminal of a session. */
  terminal?: true | undefined;
  /** Whether its execution can be recorded (recorded-machine.ts). */
  recorded?: true | undefined;
}

/** Paths of the files that a machine is started from. */
export interface MachineFiles {
  /** QEMU's program. */
  qemu: string;
  /**
   * If QEMU needs more than its name to start: additions to its environment, and its first
   * arguments.
   */
  environment?: Readonly<Record<string, string>>;
  after?: readonly string[];
  kernel: string;
  initramfs: string;
  /** The files of the devices, TEST_DEV's first, as long as `deviceSizes` says; none for memmap. */
  devices: readonly string[];
  /** Address of QEMU's gdb stub: the path of a socket, or a port of 127.0.0.1. */
  gdb?: GdbAddress | undefined;
  /** The file to record the execution of a recorded machine in. */
  execution?: string | undefined;
}

export type GdbAddress = { path: string } | { port: number };

/**
 * The memory of a machine that becomes a checkpoint or comes from one. Its devices' files then
 * belong to the checkpoint too.
 */
export interface MachineMemory {
  file: string;
  /**
   * `save`: the guest's writes go to the files. `resume`: the guest starts with their content and
   * its writes stay private; QEMU waits for the rest of its state. `continue`: the same, but its
   * writes go to the files.
   */
  mode: 'save' | 'resume' | 'continue';
}

/** The descriptor of the console's file (console-file.ts). */
export const CONSOLE_FD = 3;
/**
 * Descriptors that the child inherits, each one end of a socket pair. No socket has a name in the
 * file system, so there is nothing to collide, to clean up, or for others to connect to.
 */
export const CHANNEL_FD = 4;
export const HEARTBEAT_FD = 5;
/** QEMU's own monitor. */
export const MONITOR_FD = 6;
/** The port of a session's terminal; unused if a machine has none. */
export const TERMINAL_FD = 7;
/** From here on: files, which have no names either. */
export const INHERITED_FD = 8;

/** The path under which QEMU finds the device file with this number. */
export function inheritedPath(index: number): string {
  return `/dev/fd/${INHERITED_FD + index}`;
}

/** Linux on x86 needs persistent memory of 4.x kernels in whole sections of this size. */
const SECTION = 128 * MIB;

/** Below this, q35 keeps all memory in one piece under 4 GiB (hw/i386/pc_q35.c, pc_q35_init). */
const Q35_LOW_LIMIT = 0xb0000000;
/** Above that limit, this much stays below 4 GiB and the rest begins at 4 GiB. */
const Q35_LOW_SPLIT = 2 * GIB;

export interface MemmapRegion {
  start: number;
  size: number;
}

/** Ordinary memory kept above the devices: QEMU puts the initramfs at the end of what is below 4 GiB. */
const INITRAMFS_ROOM = 256 * MIB;

/** Bytes of each device: TEST_DEV, SCRATCH_DEV, and further ones. */
export function deviceSizes({
  deviceSize,
  additional = [],
}: Pick<MachineShape, 'deviceSize' | 'additional'>): number[] {
  return [deviceSize, deviceSize, ...additional];
}

/**
 * Places the devices of `--pmem memmap` in memory, each at a section's begin, with a section of
 * ordinary memory between them (4.x kernels merge neighbours into one device).
 *
 * @returns the regions, and all memory that the machine needs, in bytes
 */
export function placeRegions(shape: MachineShape): {
  regions: [MemmapRegion, MemmapRegion, ...MemmapRegion[]];
  memory: number;
} {
  const sizes = deviceSizes(shape);
  const span = (size: number) => roundUp(size, SECTION) + SECTION;
  const spans = sizes.reduce((sum, size) => sum + span(size), 0);
  const whole = shape.memory + spans;
  if (whole < Q35_LOW_LIMIT) return { regions: at(shape.memory - INITRAMFS_ROOM), memory: whole };
  // Memory is split: the devices go to the end of the piece above 4 GiB.
  const aboveLow = Math.max(0, shape.memory - Q35_LOW_SPLIT);
  return { regions: at(4 * GIB + aboveLow), memory: Q35_LOW_SPLIT + aboveLow + spans };

  function at(first: number): [MemmapRegion, MemmapRegion, ...MemmapRegion[]] {
    let start = first;
    return sizes.map((size) => {
      const region = { start, size };
      start += span(size);
      return region;
    }) as [MemmapRegion, MemmapRegion, ...MemmapRegion[]];
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * The kernel's command line. `quiet`: see guest-scripts/lib/unit.sh, which turns messages on.
 *
 * @param plugged the devices come with the unit, not with the machine
 */
export function kernelCommandLine(shape: MachineShape, plugged = false): string {
  const regions =
    shape.pmem === 'memmap'
      ? placeRegions(shape).regions.map(
          ({ start, size }) => `memmap=0x${size.toString(16)}!0x${start.toString(16)}`,
        )
      : [];
  return [
    'console=ttyS0,115200',
    'quiet',
    // The guest's reporter reads the log with syslog(2), which includes times only with this option.
    'printk.time=1',
    // A panic ends the machine (with -no-reboot) instead of leaving it hung.
    'panic=-1',
    // Loads programs at the same addresses each time, so that the emulator can reuse their
    // translated code: starting one is four times faster.
    'norandmaps',
    // These cost seconds under emulation and are not under test here.
    'cryptomgr.notests=1',
    'mitigations=off',
    'no_timer_check',
    'net.ifnames=0',
    ...regions,
    `daxrepro_pmem=${shape.pmem}`,
    ...(plugged ? ['daxrepro_devices=plugged'] : []),
    ...(shape.additional ? [`daxrepro_additional=${shape.additional.length}`] : []),
    ...(shape.recorded ? ['daxrepro_recorded=1'] : []),
    ...(shape.partition ? ['daxrepro_partition=1'] : []),
    ...(shape.stack ? [`daxrepro_stack=${shape.stack}`] : []),
    ...(shape.append ? [shape.append] : []),
  ].join(' ');
}

/**
 * QEMU's whole command line.
 *
 * `-nodefaults`, no network, no share with the host, and QEMU's own sandbox: what runs in the
 * guest is not trusted.
 */
export function qemuArgv(
  shape: MachineShape,
  files: MachineFiles,
  memoryFile?: MachineMemory,
): [string, ...string[]] {
  const size = memorySize(shape);
  const memory = `${size / MIB}M`;
  const plugged = memoryFile !== undefined && arePlugged(shape);
  const [program = files.qemu, ...rest] = [
    ...withEnvironment(files.environment ?? {}),
    files.qemu,
    ...(files.after ?? []),
  ];
  return [
    program,
    ...rest,
    '-nodefaults',
    '-no-user-config',
    // Names the threads: cpu-clock.ts reads how much time the virtual CPUs get.
    ...['-name', 'debug-threads=on'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-display', 'none'],
    '-no-reboot',
    ...['-machine', machineType(shape, memoryFile !== undefined)],
    ...['-cpu', processor(shape)],
    ...['-smp', String(shape.cpus)],
    ...[
      '-m',
      hotpluggable(shape)
        ? `${memory},slots=${deviceSizes(shape).length},maxmem=${maximum(shape)}M`
        : memory,
    ],
    ...['-kernel', files.kernel],
    ...['-initrd', files.initramfs],
    ...['-append', kernelCommandLine(shape, plugged)],
    ...['-chardev', `file,id=console,path=/dev/fd/${CONSOLE_FD},append=on`],
    ...['-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci'],
    ...(shape.recorded ? recordedPorts(PORTS) : PORTS.flatMap(portArguments)),
    ...(shape.terminal
      ? [
          ...['-chardev', `socket,id=terminal,fd=${TERMINAL_FD}`],
          ...['-device', 'virtserialport,chardev=terminal,name=daxrepro.terminal'],
        ]
      : []),
    ...(shape.recorded ? recordingArguments(files.execution) : []),
    ...(files.gdb ? gdbArguments(files.gdb) : []),
    ...['-chardev', `socket,id=monitor,fd=${MONITOR_FD}`, '-mon', 'chardev=monitor,mode=control'],
    ...(memoryFile ? memoryArguments(memoryFile, size) : []),
    ...(plugged ? deviceSizes(shape).flatMap((_, index) => slotArguments(index)) : []),
    ...files.devices.flatMap((file, index) =>
      deviceArguments(shape, file, index, memoryFile?.mode !== 'resume'),
    ),
  ];
}

/**
 * Linux refuses to create a CXL region in a guest that it recognizes as one, since it cannot flush
 * the caches there: "Failed to synchronize CPU cache state" (6.12 and 7.2 do, 6.1 does not).
 */
function processor({ accelerator, pmem }: MachineShape): string {
  const name = accelerator === 'kvm' ? 'host' : 'max';
  return pmem === 'cxl' ? `${name},-hypervisor` : name;
}

/**
 * Whether the state of the machine can be saved and resumed. QEMU (10.0 and 11.1) saves nothing of a
 * CXL device (hw/mem/cxl_type3.c has no VMStateDescription): its decoders would be lost.
 */
export function isSaveable({ pmem }: Pick<MachineShape, 'pmem'>): boolean {
  return pmem !== 'cxl';
}

/** The ports that connect the guest's programs with this process. */
const PORTS: readonly Port[] = [
  { name: 'channel', descriptor: CHANNEL_FD },
  { name: 'heartbeat', descriptor: HEARTBEAT_FD },
];

function portArguments({ name, descriptor }: Port): string[] {
  return [
    ...['-chardev', `socket,id=${name},fd=${descriptor}`],
    ...['-device', `virtserialport,chardev=${name},name=daxrepro.${name}`],
  ];
}

/** On the command line, so that the printed command is complete. */
function withEnvironment(environment: Readonly<Record<string, string>>): string[] {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return settings.length > 0 ? ['env', ...settings] : [];
}

/**
 * Whether a saved machine has no devices, and its clones get theirs while they run. QEMU (7.2,
 * tried) saves nothing of a virtio-pmem device: a clone's device answers no flush and refuses a
 * driver that is loaded later.
 */
export function arePlugged({ pmem }: MachineShape): boolean {
  return pmem === 'virtio-pmem';
}

/** A slot for a device of a q35 machine (docs/pcie.txt of QEMU): its own bus takes none. */
function slotArguments(index: number): string[] {
  return ['-device', `pcie-root-port,id=slot${index},chassis=${index + 1}`];
}

/**
 * Monitor commands that plug in a clone's devices. TEST_DEV comes first, at the lower address and
 * in the last slot: Linux (5.10 to 6.12) looks into that slot first, and numbers devices as it
 * finds them.
 */
export function plugCommands(shape: MachineShape, files: readonly string[]): MonitorCommand[] {
  const sizes = deviceSizes(shape);
  return files.flatMap((file, index): MonitorCommand[] => [
    [
      'object-add',
      {
        'qom-type': 'memory-backend-file',
        id: `memory${index}`,
        share: true,
        'mem-path': file,
        size: sizes[index] ?? shape.deviceSize,
      },
    ],
    [
      'device_add',
      {
        driver: 'virtio-pmem-pci',
        id: `pmem${index}`,
        memdev: `memory${index}`,
        memaddr: deviceAddresses(shape)[index] ?? 0,
        bus: `slot${sizes.length - 1 - index}`,
      },
    ],
  ]);
}

/** The offset of a `memmap` region in the file with the machine's memory, in bytes. */
export function placeInMemoryFile(shape: MachineShape, { start }: MemmapRegion): number {
  return start < 4 * GIB ? start : memoryBelow4GiB(shape) + (start - 4 * GIB);
}

/** Bytes of the machine's memory that lie below 4 GiB; the rest begins there. */
export function memoryBelow4GiB(shape: MachineShape): number {
  const size = memorySize(shape);
  return size < Q35_LOW_LIMIT ? size : Q35_LOW_SPLIT;
}

/** A stub that does not wait for a debugger. */
export function gdbArguments(gdb: GdbAddress): string[] {
  const where = 'path' in gdb ? `path=${escapeComma(gdb.path)}` : `host=127.0.0.1,port=${gdb.port}`;
  return ['-chardev', `socket,id=gdb,${where},server=on,wait=off`, '-gdb', 'chardev:gdb'];
}

/** Bytes of all the machine's memory except its devices'. */
function memorySize(shape: MachineShape): number {
  return shape.pmem === 'memmap' ? placeRegions(shape).memory : shape.memory;
}

function machineType(shape: MachineShape, memoryInFile: boolean): string {
  const memory = { nvdimm: ',nvdimm=on', cxl: cxlWindow(shape) } as const;
  const more = shape.pmem === 'nvdimm' || shape.pmem === 'cxl' ? memory[shape.pmem] : '';
  return `q35,accel=${shape.accelerator}${more}${memoryInFile ? ',memory-backend=memory' : ''}`;
}

/** The range of physical addresses for the regions of all CXL devices, behind one host bridge. */
function cxlWindow(shape: MachineShape): string {
  const all = deviceSizes(shape).reduce((sum, size) => sum + size, 0);
  return `,cxl=on,cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=${roundUp(all, 4 * GIB) / GIB}G`;
}

/** Bytes: a CXL region is a multiple of this. */
export const CXL_STEP = 256 * MIB;

/**
 * A CXL device with a label area of its own. The guest sorts the devices by their serial numbers. QEMU
 * 7.2 knows them by another property, takes everything, and loses the data: cli/emulator/cxl.ts.
 */
function cxlArguments(backend: string, index: number): string[] {
  return [
    ...(index === 0 ? ['-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1'] : []),
    ...['-object', backend],
    ...['-object', `memory-backend-ram,id=labels${index},size=1M`],
    ...['-device', `cxl-rp,port=${index},bus=cxl.1,id=port${index},chassis=0,slot=${index + 2}`],
    '-device',
    `cxl-type3,bus=port${index},persistent-memdev=memory${index},lsa=labels${index},id=cxl${index},sn=${index + 1}`,
  ];
}

function memoryArguments({ file, mode }: MachineMemory, size: number): string[] {
  return [
    '-object',
    `memory-backend-file,id=memory,size=${size},share=${mode === 'resume' ? 'off' : 'on'},mem-path=${escapeComma(file)}`,
    ...(mode === 'save' ? [] : ['-incoming', 'defer']),
  ];
}

/**
 * Physical addresses of the devices that are not part of ordinary memory. The machine's hotplug area begins
 * at the first whole GiB after its memory (hw/i386/pc.c, pc_get_device_memory_range), and has room for each
 * device at a whole GiB.
 */
export function deviceAddresses(shape: MachineShape): [number, number, ...number[]] {
  const { memory } = shape;
  const above = memory < Q35_LOW_LIMIT ? 0 : memory - Q35_LOW_SPLIT;
  let next = 4 * GIB + roundUp(above, GIB);
  return deviceSizes(shape).map((size) => {
    const address = next;
    next += roundUp(size, GIB);
    return address;
  }) as [number, number, ...number[]];
}

/** Both kinds of device memory live in the machine's hotplug area. */
function hotpluggable({ pmem }: MachineShape): boolean {
  return pmem === 'nvdimm' || pmem === 'virtio-pmem';
}

function maximum(shape: MachineShape): number {
  // Room to align each device: its own size again is more than any machine asks for.
  const devices = deviceSizes(shape).reduce((sum, size) => sum + roundUp(size, GIB), 0);
  return (shape.memory + 2 * devices) / MIB;
}

function deviceArguments(
  shape: MachineShape,
  file: string,
  index: number,
  share: boolean,
): string[] {
  const path = escapeComma(file);
  const backend = `memory-backend-file,id=memory${index},share=${share ? 'on' : 'off'},mem-path=${path},size=${deviceSizes(shape)[index]}`;
  const address = deviceAddresses(shape)[index];
  switch (shape.pmem) {
    case 'memmap':
      return [];
    case 'nvdimm':
      return [
        '-object',
        backend,
        '-device',
        `nvdimm,id=nvdimm${index},memdev=memory${index},addr=${address}`,
      ];
    case 'cxl':
      return cxlArguments(backend, index);
    case 'virtio-pmem':
      return [
        ...['-object', backend],
        ...['-device', `virtio-pmem-pci,id=pmem${index},memdev=memory${index},memaddr=${address}`],
      ];
    case 'none':
      return [
        // The file ends with the guest, so there is no need to wait until the host's disk has it.
        ...['-drive', `if=none,id=disk${index},format=raw,cache=unsafe,discard=unmap,file=${path}`],
        ...['-device', `virtio-blk-pci,drive=disk${index}`],
      ];
  }
}
