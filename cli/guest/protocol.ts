import { z } from '../schema.js';

/**
 * Parses what the guest sends on its channel: lines of JSON, some followed by a file's bytes,
 * written by guest-scripts/lib/channel.sh. The guest is not trusted: a line that is not an event,
 * or is too long, ends the unit as a protocol violation. Text in events is data and is escaped
 * before anyone sees it.
 */

/** Numbers come as text, because a shell may have no value: empty is undefined. */
const count = z
  .string()
  .transform((text) => (/^\d+$/.test(text.trim()) ? Number(text) : undefined));
/** As the kernel prints it: hexadecimal with 0x, or decimal. */
const kernelNumber = z
  .string()
  .transform((text) => (/^(0x[0-9a-f]+|\d+)$/i.test(text.trim()) ? Number(text) : undefined));

/** A comparison of what DAX reaches with what the block device has (guest-scripts/lib/data.pl). */
const DataLookSchema = z.object({
  /**
   * How the page came about: `written` to a new file by write(2), `mapped`: stored through a
   * mapping of it; where there was no room for a new file, a page of an `existing` one, or such a
   * page `exchanged` for a pattern.
   */
  how: z.enum(['written', 'mapped', 'existing', 'exchanged']),
  device: z.string().max(256),
  /** Bytes from the start of the device, where the file system says that the page is. */
  position: count,
  /** How many bytes of the page are the same there; undefined if nothing was compared. */
  same: count,
  /** Why nothing was compared. */
  problem: z.string().max(1024),
});

/** A part of what a device is made of (guest-scripts/lib/layers.pl). */
const LayerSchema = z.object({
  /** The kernel's name: dm-0, pmem0p1, pmem0. */
  node: z.string().max(64),
  kind: z.enum(['device-mapper', 'partition', 'disk']),
  /** MAJOR:MINOR. */
  number: z.string().max(32),
  /** Of a partition: its first sector. */
  start: count,
  /** Of a device of device mapper: its lines, as `dmsetup table` prints them. */
  table: z.string().max(2000),
  /** What it lies on, separated by blanks: a disk, or all devices that its table names, a partition with its first sector: pmem0p1@4096. */
  below: z.string().max(256).default(''),
});

const Proof = z.object({
  event: z.literal('proof'),
  when: z.enum(['before', 'remount', 'scratch', 'after']),
  device: z.string(),
  directory: z.string(),
  /** Whether that device is mounted there, according to /proc/mounts. */
  mounted: z.boolean(),
  type: z.string(),
  options: z.string(),
  /** Whether /sys/fs/ext4/<device> exists; it does for each mount that ext4's code serves. */
  servedByExt4: z.boolean(),
  servedByXfs: z.boolean(),
  /** The drivers on the way to the device, as `DRIVER:DEVICE` and separated by blanks. */
  path: z.string().max(2000).optional(),
  /** From top to bottom. */
  layers: z.array(LayerSchema).max(8).optional(),
  /** References to the file system's module now, and before anything was mounted. */
  moduleReferences: count,
  moduleReferencesUnmounted: count,
  /** The GNU build id of the module that the kernel holds, in hexadecimal. */
  moduleBuildId: z.string(),
  /** Of a new regular file, by statx(2). */
  statxAttributes: kernelNumber,
  statxMask: kernelNumber,
  /** The same of a new file on the realtime device, if the file system is mounted with one. */
  realtimeAttributes: kernelNumber.optional(),
  data: z.array(DataLookSchema).max(8).optional(),
  realtimeData: z.array(DataLookSchema).max(8).optional(),
  /** Bytes, by statfs(2). */
  blockSize: count,
  pageSize: count,
  /** The last lines of the kernel's log. */
  kernelLog: z.string(),
});

/** Becomes the name of a file: no path, not hidden. */
const fileName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,60}$/);

/**
 * Which part runs an xfstests program: its `check` before the test, the test, or `check` after it.
 */
const phase = z.enum(['setup', 'test', 'check']);

/** A call of mount(8) under xfstests, and its effect (guest-scripts/xfstests/mount). */
const Mount = z.object({
  event: z.literal('mount'),
  phase,
  /** Its exit code. */
  status: z.number().int(),
  arguments: z.string(),
  /** From the kernel's mount table; all empty if there is no mount. */
  node: z.string(),
  /** A line of a device-mapper table that maps the middle of a page; empty if there is none. */
  misaligned: z.string().default(''),
  device: z.string(),
  directory: z.string(),
  type: z.string(),
  options: z.string(),
  servedByExt4: z.boolean(),
  servedByXfs: z.boolean(),
  /** For a refused mount: the last lines of the kernel's log. */
  kernelLog: z.string().default(''),
});

/** A file-system check by xfstests' `check`; its log is the file of this name. */
const Check = z.object({
  event: z.literal('check'),
  phase,
  program: z.string(),
  device: z.string(),
  status: z.number().int(),
  readOnly: z.boolean(),
  file: z.string(),
});

/** What xfstests' `check` left behind (guest-scripts/lib/xfstests.sh). */
const Xfstests = z.object({
  event: z.literal('xfstests'),
  /** check's exit code, which proves nothing by itself. */
  status: z.number().int(),
  timedOut: z.boolean(),
  /** The subset of full, out.bad, dmesg, notrun, core and hints that the test has. */
  files: z.string(),
  /** The end of check's output. */
  output: z.string(),
  /** The content of .notrun. */
  notrun: z.string(),
  /** The test's lines in check.time, which lists the tests that check considers passed. */
  times: z.string(),
  /** Whether the test has a .out file. */
  expectedOutput: z.boolean(),
  /** The start of the difference between .out and .out.bad. */
  difference: z.string(),
  /** Patterns of kernel messages that the test announces, one per line. */
  dmesgFilter: z.string(),
  /** Whether the kernel counted mounts, and how many of them the mount wrapper did not see. */
  watched: z.boolean(),
  unseenMounts: z.number().int(),
  /** Whether one call of `check` ran many tests: `output` is then this test's part. */
  together: z.boolean().default(false),
  microseconds: z.number(),
});

/** The on-disk data of an inode that the check mentions (guest-scripts/lib/evidence.pl). */
const Inode = z.object({
  event: z.literal('inode'),
  /** Of the check: `test`, `scratch`, or the name of its log. */
  name: z.string().max(64),
  device: z.string().max(256),
  inode: count,
  /** Octal, with its type; empty if the type is invalid. */
  mode: z.string().regex(/^[0-7]{0,7}$/),
  size: count,
  links: count,
  flags: z.string().max(32),
  /** As debugfs or xfs_db prints it. */
  blockMap: z.string().max(1000),
  /** By the directories on the device; empty if none has it. */
  path: z.string().max(8192),
  /** The examined block of the inode, and its offset on the device, in bytes. */
  block: count,
  position: count,
  zeros: z.enum(['', 'yes', 'no']),
  /** The first bytes of the block, in hexadecimal. */
  bytes: z.string().regex(/^[0-9a-f]{0,256}$/),
});

/** An image of a device has been sent, in files with offsets: all of it, or as much as allowed. */
const Image = z.object({
  event: z.literal('image'),
  name: fileName,
  device: z.string().max(256),
  whole: z.boolean(),
});

/**
 * What a trace of write-back is missing (guest-scripts/lib/trace.pl); the trace is the file
 * `write-back`.
 */
const Trace = z.object({
  event: z.literal('trace'),
  /** The devices under test as the events name them: `pmem0=259:0`, separated by blanks. */
  devices: z.string().max(500),
  /** Why there is none; else empty. */
  problem: z.string().max(500),
  /** Events that this kernel does not have, separated by blanks. */
  without: z.string().max(500),
  /** Events dropped for lack of room. */
  lost: z.number().int().nonnegative(),
});

/** Bytes; guest-scripts/lib/channel.sh sends no more of a file. */
const LARGEST_FILE = 4 * 1024 * 1024;

/** The report of a guest that is prepared. */
export const ReadyEventSchema = z.object({
  event: z.literal('ready'),
  release: z.string(),
  testDevice: z.string(),
  scratchDevice: z.string(),
  deviceProblem: z.string(),
  bootId: z.string(),
});

/** The file system's module was loaded. */
export const ModuleEventSchema = z.object({
  event: z.literal('module'),
  name: z.string(),
  /** Of the loaded file, if the host sent one. */
  sha256: z.string(),
  /** `sent` by the host, or the `kernel`'s own. */
  origin: z.enum(['sent', 'kernel']),
});

/** A recorded guest has read so many more bytes of what the host sends (paced-input.ts). */
const Received = z.object({ event: z.literal('received'), bytes: z.number().int().positive() });

const GuestEvent = z.discriminatedUnion('event', [
  Received,
  ReadyEventSchema,
  /** The unit begins: sent after a restore, so that a clone shows what it is. */
  z.object({
    event: z.literal('begin'),
    release: z.string(),
    bootId: z.string(),
    /** Devices that were plugged in after `ready`. */
    testDevice: z.string().optional(),
    scratchDevice: z.string().optional(),
    /** If power is cut: the physical start addresses of the devices. */
    testAddress: kernelNumber.optional(),
    scratchAddress: kernelNumber.optional(),
  }),
  z.object({ event: z.literal('step'), name: z.string() }),
  /** The file system is mounted, and the guest waits to be saved: see CLONES of `UnitRequest`. */
  z.object({ event: z.literal('mounted') }),
  ModuleEventSchema,
  z.object({ event: z.literal('mount-failed'), message: z.string(), kernelLog: z.string() }),
  Proof,
  z.object({
    event: z.literal('test'),
    status: z.number().int(),
    timedOut: z.boolean().default(false),
    /** One per line. */
    failures: z.string().default(''),
    notrun: z.string().default(''),
    /** `media-errors`: the test poisoned SCRATCH_DEV, and expects the kernel's errors about it. */
    provokes: z.string().max(256).default(''),
    lastOutput: z.string().default(''),
    reason: z.string().optional(),
    microseconds: z.number().default(0),
  }),
  z.object({
    event: z.literal('fsck'),
    name: z.enum(['test', 'scratch']),
    device: z.string(),
    status: z.number().int(),
  }),
  /** TEST_DEV's poison as the kernel lists it: lines of the first sector and their number. */
  z.object({
    event: z.literal('poison'),
    when: z.enum(['before', 'after']),
    marks: z.string().max(4096),
  }),
  Mount,
  Check,
  Xfstests,
  z.object({
    event: z.literal('file'),
    name: fileName,
    /** Bytes of the file, which follow this event's line. */
    size: z.number().int().positive().max(LARGEST_FILE),
    /** For a piece of an image: its offset, in bytes. */
    offset: z.number().int().nonnegative().optional(),
  }),
  Inode,
  Image,
  Trace,
  /**
   * The program of a session (guest-scripts/lib/shell.sh) has ended; without a status it failed to
   * run.
   */
  z.object({ event: z.literal('shell'), status: z.number().int().min(0).max(255).optional() }),
  /** Addresses in the kernel's memory, before a session begins. */
  z.object({
    event: z.literal('symbols'),
    module: z.string().max(64),
    /** `.text=0x… .data=0x…` of the module; empty if it is built in, or was not requested. */
    sections: z.string().max(8192),
    /** Of `_text`; empty if the kernel hides it. */
    kernelText: z.string().max(32),
  }),
  /**
   * An image that survived a power cut was examined: exit codes, empty for steps that did not run.
   */
  z.object({
    event: z.literal('survivor'),
    number: z.number().int().positive(),
    repair: count,
    mount: count,
    looked: count,
    check: count,
    said: z.string(),
  }),
  /** What is known of mounts during a user's test: whether the kernel counted them, and how many nobody saw. */
  z.object({
    event: z.literal('mounts'),
    watched: z.boolean(),
    unseenMounts: z.number().int(),
  }),
  z.object({ event: z.literal('log'), text: z.string() }),
  z.object({
    event: z.literal('gave-up'),
    step: z.string(),
    message: z.string(),
    kernelLog: z.string(),
  }),
  /** One of many tests in a guest is over; the next may begin when the host says so. */
  z.object({ event: z.literal('over'), test: z.string(), next: z.string() }),
  z.object({ event: z.literal('finished') }),
]);

export type GuestEvent = z.infer<typeof GuestEvent>;
export type ProofEvent = z.infer<typeof Proof>;
export type Layer = z.infer<typeof LayerSchema>;
export type DataLook = z.infer<typeof DataLookSchema>;
export type MountEvent = z.infer<typeof Mount>;
export type CheckEvent = z.infer<typeof Check>;
export type TraceEvent = z.infer<typeof Trace>;
export type InodeEvent = z.infer<typeof Inode>;
export type SurvivorEvent = Extract<GuestEvent, { event: 'survivor' }>;
export type MountsEvent = Extract<GuestEvent, { event: 'mounts' }>;
export type XfstestsEvent = z.infer<typeof Xfstests>;
export type SymbolsEvent = Extract<GuestEvent, { event: 'symbols' }>;
export type ReadyEvent = Extract<GuestEvent, { event: 'ready' }>;

/** Bytes; the guest's longest line is an event with the end of the kernel's log. */
const LONGEST_LINE = 256 * 1024;

export type Received =
  | { ok: true; event: GuestEvent }
  /** A part of a file, in order; of an image, with its offset. */
  | { ok: true; piece: FilePiece }
  | { ok: false; problem: string };

export interface FilePiece {
  name: string;
  data: Uint8Array;
  /** Bytes; undefined if it follows the previous piece. */
  offset?: number | undefined;
}

const LINE_FEED = 0x0a;

interface ComingFile {
  name: string;
  /** Bytes. */
  missing: number;
  offset: number | undefined;
}

/** Turns the channel's bytes into events and files, however they are split. */
export class EventReader {
  #line: Uint8Array[] = [];
  #length = 0;
  /** The file being received, and how much of it. */
  #file: ComingFile | undefined;

  push(chunk: Uint8Array): Received[] {
    const received: Received[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#file
        ? this.#takePiece(rest, this.#file, received)
        : this.#takeLine(rest, received);
    }
    return received;
  }

  #takePiece(bytes: Uint8Array, file: ComingFile, received: Received[]): Uint8Array {
    const data = bytes.subarray(0, file.missing);
    const { name, offset } = file;
    received.push({ ok: true, piece: { name, data, ...(offset === undefined ? {} : { offset }) } });
    file.missing -= data.length;
    if (offset !== undefined) file.offset = offset + data.length;
    if (file.missing === 0) this.#file = undefined;
    return bytes.subarray(data.length);
  }

  #takeLine(bytes: Uint8Array, received: Received[]): Uint8Array {
    const end = bytes.indexOf(LINE_FEED);
    const part = end < 0 ? bytes : bytes.subarray(0, end);
    this.#length += part.length;
    if (this.#length > LONGEST_LINE) {
      this.#line = [];
      this.#length = 0;
      received.push({ ok: false, problem: `a line of over ${LONGEST_LINE} bytes` });
      return bytes.subarray(part.length + 1);
    }
    this.#line.push(part);
    if (end < 0) return bytes.subarray(bytes.length);
    const line = Buffer.concat(this.#line).toString('utf8');
    this.#line = [];
    this.#length = 0;
    if (line !== '') {
      const read = readEvent(line);
      received.push(read);
      if ('event' in read && read.event.event === 'file') {
        const { name, size, offset } = read.event;
        this.#file = { name, missing: size, offset };
      }
    }
    return bytes.subarray(end + 1);
  }
}

function readEvent(line: string): Received {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, problem: `a line that is not JSON: ${line.slice(0, 200)}` };
  }
  const parsed = GuestEvent.safeParse(value);
  return parsed.success
    ? { ok: true, event: parsed.data }
    : { ok: false, problem: `an event of unknown shape: ${line.slice(0, 200)}` };
}

/** What a guest is asked to run. Values are single lines; undefined values are not sent. */
export interface UnitRequest {
  FS: string;
  TEST: string;
  /** undefined for the built-in suite. */
  SUITE?: 'xfstests' | undefined;
  /** Many tests for one guest, separated by blanks; TEST is the first. */
  TOGETHER?: string | undefined;
  MKFS_OPTIONS?: string | undefined;
  MOUNT_OPTIONS?: string | undefined;
  /** Seconds for the test itself. */
  TIMEOUT: number;
  /**
   * The wall clock, microseconds since the epoch: a clone's clock stands at the time it was saved.
   */
  CLOCK?: number;
  /** Hexadecimal seed of the guest's random numbers, which clones would share otherwise. */
  ENTROPY?: string;
  /** For tests with random choices: 32 bits. */
  SEED?: number;
  /** Most bytes of an image of a damaged device. */
  IMAGE_BYTES?: number;
  /** 1 if write-back is traced. */
  TRACE?: number | undefined;
  /** 1 if the unit's power is cut. */
  POWER_CUT?: 1 | undefined;
  /**
   * 1, instead of a test: examine images that survived. The size of each in bytes, and what comes
   * first.
   */
  SURVIVORS?: 1 | undefined;
  IMAGE_SIZE?: number | undefined;
  RECOVERY?: 'journal' | 'repair' | undefined;
  /** 1, instead of a test: send the kernel's symbols. */
  SYMBOLS?: 1 | undefined;
  /** Modules to load before the one that is sent, separated by blanks. */
  MODULE_NEEDS?: string | undefined;
  /** Variables of the further devices, in the order of the devices and separated by blanks. */
  ADDITIONAL?: string | undefined;
  /** Devices whose contents follow, in this order and separated by blanks: `test`, `scratch`. */
  CONTENTS?: string | undefined;
  /** A user's own test in place of a bundled one: how it is started. */
  USER_TEST?: 'program' | 'fio' | undefined;
  /** Bytes of its archive, which follow everything else. */
  PACK_BYTES?: number | undefined;
  /** `normal`: the test never ends by itself; at its time limit it has done its work. */
  TIME_LIMIT_IS?: 'normal' | undefined;
  /** What of TEST_DEV is poisoned while the test runs: `OFFSET+LENGTH`, separated by blanks. */
  POISON?: string | undefined;
  /** Kernel settings for the unit, `KEY=VALUE`, separated by tabs. */
  SYSCTL?: string | undefined;
  /** 1: mounts the file system and waits. Clones of the guest get requests of their own. */
  CLONES?: 1 | undefined;
  /** A session over the terminal's port instead of the test: see guest-scripts/lib/shell.sh. */
  SESSION?: 'terminal' | 'pipes' | undefined;
  /** The session's command, instead of an interactive shell: hexadecimal. */
  COMMAND?: string | undefined;
  /** `yes`: makes and mounts nothing before the session, and checks nothing after it. */
  LOOK?: 'yes' | undefined;
  /** `yes`: the host asks for addresses in memory. */
  GDB?: 'yes' | undefined;
  /** Of the session's terminal. */
  TERM?: string | undefined;
  /** Its terminfo entry as compiled, hexadecimal. */
  TERMINFO?: string | undefined;
  ROWS?: number | undefined;
  COLUMNS?: number | undefined;
}

/** The request as the guest reads it, followed by the module's bytes. */
export function encodeRequest(request: UnitRequest, module?: Uint8Array): Buffer {
  const lines = Object.entries(request)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key} ${String(value).replaceAll(/[\r\n]/g, ' ')}`);
  if (module) lines.push(`MODULE_BYTES ${module.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\nEND\n`), module ?? Buffer.alloc(0)]);
}
