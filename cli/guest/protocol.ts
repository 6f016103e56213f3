import { z } from '../schema.js';

/**
 * What the guest says on its channel: lines of JSON, and after some of them a file's bytes, written by
 * guest-scripts/lib/channel.sh. The guest is not trusted: a line that is no event, or is too long, ends the unit as a protocol
 * violation; text in events is data and is escaped before anyone sees it.
 */

/** Numbers come as text where a shell may have nothing to say: empty is undefined. */
const count = z
  .string()
  .transform((text) => (/^\d+$/.test(text.trim()) ? Number(text) : undefined));
/** As the kernel prints it: hexadecimal with 0x, or decimal. */
const kernelNumber = z
  .string()
  .transform((text) => (/^(0x[0-9a-f]+|\d+)$/i.test(text.trim()) ? Number(text) : undefined));

const Proof = z.object({
  event: z.literal('proof'),
  when: z.enum(['before', 'remount', 'scratch', 'after']),
  device: z.string(),
  directory: z.string(),
  /** Whether that device is mounted there, by /proc/mounts. */
  mounted: z.boolean(),
  type: z.string(),
  options: z.string(),
  /** Whether /sys/fs/ext4/<device> exists; it does for each mount that ext4's code serves. */
  servedByExt4: z.boolean(),
  servedByXfs: z.boolean(),
  /** Users of the file system's module now, and before anything was mounted. */
  moduleReferences: count,
  moduleReferencesUnmounted: count,
  /** The GNU build id of the module that the kernel holds, in hexadecimal. */
  moduleBuildId: z.string(),
  /** Of a fresh regular file, by statx(2). */
  statxAttributes: kernelNumber,
  statxMask: kernelNumber,
  /** Bytes, by statfs(2). */
  blockSize: count,
  pageSize: count,
  /** The last lines of the kernel's log. */
  kernelLog: z.string(),
});

/** Becomes a file's name: no path, nothing hidden. */
const fileName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,60}$/);

/** What runs a program of xfstests: its `check` before the test, the test, or `check` after it. */
const phase = z.enum(['setup', 'test', 'check']);

/** A call of mount(8) under xfstests, and what it did (guest-scripts/xfstests/mount). */
const Mount = z.object({
  event: z.literal('mount'),
  phase,
  /** Its exit code. */
  status: z.number().int(),
  arguments: z.string(),
  /** Of the mount, by the kernel's table; all empty where there is none. */
  node: z.string(),
  device: z.string(),
  directory: z.string(),
  type: z.string(),
  options: z.string(),
  servedByExt4: z.boolean(),
  servedByXfs: z.boolean(),
  /** Of a refused mount: the last lines of the kernel's log. */
  kernelLog: z.string().default(''),
});

/** A check of a file system that xfstests' `check` made; its log is the file of this name. */
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
  /** check's exit code, from which alone nothing follows. */
  status: z.number().int(),
  timedOut: z.boolean(),
  /** Of full, out.bad, dmesg, notrun, core and hints, those that the test has. */
  files: z.string(),
  /** The end of what check printed. */
  output: z.string(),
  /** The content of .notrun. */
  notrun: z.string(),
  /** The test's lines of check.time, which has those that check takes to have passed. */
  times: z.string(),
  /** Whether the test has a .out file. */
  expectedOutput: z.boolean(),
  /** The begin of the difference between .out and .out.bad. */
  difference: z.string(),
  /** Patterns of kernel messages that the test announces, one a line. */
  dmesgFilter: z.string(),
  /** Whether the kernel counted mounts, and how many it counted that nobody saw being made. */
  watched: z.boolean(),
  unseenMounts: z.number().int(),
  /** Whether it is one of many that one call of `check` ran: `output` is then this test's part. */
  together: z.boolean().default(false),
  microseconds: z.number(),
});

/** What is on a damaged device of an inode that its check speaks of (guest-scripts/lib/evidence.pl). */
const Inode = z.object({
  event: z.literal('inode'),
  /** Of the check: `test`, `scratch`, or the name of its log. */
  name: z.string().max(64),
  device: z.string().max(256),
  inode: count,
  /** Octal, with its type; empty where it is no type. */
  mode: z.string().regex(/^[0-7]{0,7}$/),
  size: count,
  links: count,
  flags: z.string().max(32),
  /** As debugfs or xfs_db prints it. */
  blockMap: z.string().max(1000),
  /** By the directories on the device; empty where none has it. */
  path: z.string().max(8192),
  /** The block of the inode that was looked at, and where it is on the device, in bytes. */
  block: count,
  position: count,
  zeros: z.enum(['', 'yes', 'no']),
  /** How the block begins, in hexadecimal. */
  bytes: z.string().regex(/^[0-9a-f]{0,256}$/),
});

/** An image of a device has been sent, in files with offsets; all of it, or it was too much. */
const Image = z.object({
  event: z.literal('image'),
  name: fileName,
  device: z.string().max(256),
  whole: z.boolean(),
});

/** What a trace of write-back lacks (guest-scripts/lib/trace.pl); the trace is the file `write-back`. */
const Trace = z.object({
  event: z.literal('trace'),
  /** The devices under test as the events name them: `pmem0=259:0`, separated by blanks. */
  devices: z.string().max(500),
  /** Why there is none; else empty. */
  problem: z.string().max(500),
  /** Events that this kernel does not have, separated by blanks. */
  without: z.string().max(500),
  /** Events that found no room. */
  lost: z.number().int().nonnegative(),
});

/** Bytes; guest-scripts/lib/channel.sh sends no more of a file. */
const LARGEST_FILE = 4 * 1024 * 1024;

/** What a guest says of itself when it is prepared. */
export const ReadyEventSchema = z.object({
  event: z.literal('ready'),
  release: z.string(),
  testDevice: z.string(),
  scratchDevice: z.string(),
  deviceProblem: z.string(),
  bootId: z.string(),
});

const GuestEvent = z.discriminatedUnion('event', [
  ReadyEventSchema,
  /** The unit begins: said after a restore, so that a clone shows what it is. */
  z.object({
    event: z.literal('begin'),
    release: z.string(),
    bootId: z.string(),
    /** Devices that were plugged in after `ready`. */
    testDevice: z.string().optional(),
    scratchDevice: z.string().optional(),
    /** Where power is cut: the physical addresses at which the devices begin. */
    testAddress: kernelNumber.optional(),
    scratchAddress: kernelNumber.optional(),
  }),
  z.object({ event: z.literal('step'), name: z.string() }),
  z.object({
    event: z.literal('module'),
    name: z.string(),
    /** Of the file that was loaded, where the host sent one. */
    sha256: z.string(),
    /** `sent` by the host, or the `kernel`'s own. */
    origin: z.enum(['sent', 'kernel']),
  }),
  z.object({ event: z.literal('mount-failed'), message: z.string(), kernelLog: z.string() }),
  Proof,
  z.object({
    event: z.literal('test'),
    status: z.number().int(),
    timedOut: z.boolean().default(false),
    /** One a line. */
    failures: z.string().default(''),
    notrun: z.string().default(''),
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
  Mount,
  Check,
  Xfstests,
  z.object({
    event: z.literal('file'),
    name: fileName,
    /** Bytes of it, which follow this event's line. */
    size: z.number().int().positive().max(LARGEST_FILE),
    /** Of a piece of an image: where it belongs, in bytes. */
    offset: z.number().int().nonnegative().optional(),
  }),
  Inode,
  Image,
  Trace,
  /** Of a session (guest-scripts/lib/shell.sh): its program has ended; without a status it broke. */
  z.object({ event: z.literal('shell'), status: z.number().int().min(0).max(255).optional() }),
  /** Where things are in the kernel's memory, before a session begins. */
  z.object({
    event: z.literal('symbols'),
    module: z.string().max(64),
    /** `.text=0x… .data=0x…`, of the module; empty where it is built in, or nobody asked. */
    sections: z.string().max(8192),
    /** Of `_text`; empty where the kernel does not tell. */
    kernelText: z.string().max(32),
  }),
  /** An image that survived a power cut was looked at: exit codes, empty where it did not come to that. */
  z.object({
    event: z.literal('survivor'),
    number: z.number().int().positive(),
    repair: count,
    mount: count,
    looked: count,
    check: count,
    said: z.string(),
  }),
  z.object({ event: z.literal('log'), text: z.string() }),
  z.object({
    event: z.literal('gave-up'),
    step: z.string(),
    message: z.string(),
    kernelLog: z.string(),
  }),
  /** Of many tests in one guest one is over, and another may begin when the host says so. */
  z.object({ event: z.literal('over'), test: z.string(), next: z.string() }),
  z.object({ event: z.literal('finished') }),
]);

export type GuestEvent = z.infer<typeof GuestEvent>;
export type ProofEvent = z.infer<typeof Proof>;
export type MountEvent = z.infer<typeof Mount>;
export type CheckEvent = z.infer<typeof Check>;
export type TraceEvent = z.infer<typeof Trace>;
export type InodeEvent = z.infer<typeof Inode>;
export type SurvivorEvent = Extract<GuestEvent, { event: 'survivor' }>;
export type XfstestsEvent = z.infer<typeof Xfstests>;
export type SymbolsEvent = Extract<GuestEvent, { event: 'symbols' }>;
export type ReadyEvent = Extract<GuestEvent, { event: 'ready' }>;

/** Bytes; the guest's longest line is an event with the end of the kernel's log. */
const LONGEST_LINE = 256 * 1024;

export type Received =
  | { ok: true; event: GuestEvent }
  /** Some of a file's bytes, in their order; of an image's, with their offset. */
  | { ok: true; piece: FilePiece }
  | { ok: false; problem: string };

export interface FilePiece {
  name: string;
  data: Uint8Array;
  /** Bytes; undefined where they follow those before. */
  offset?: number | undefined;
}

const LINE_FEED = 0x0a;

interface ComingFile {
  name: string;
  /** Bytes. */
  missing: number;
  offset: number | undefined;
}

/** Turns the channel's bytes into events and files, whatever the pieces they come in. */
export class EventReader {
  #line: Uint8Array[] = [];
  #length = 0;
  /** The file that is coming, and how much of it. */
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
    return { ok: false, problem: `a line that is no JSON: ${line.slice(0, 200)}` };
  }
  const parsed = GuestEvent.safeParse(value);
  return parsed.success
    ? { ok: true, event: parsed.data }
    : { ok: false, problem: `an event of no known shape: ${line.slice(0, 200)}` };
}

/** What a guest is asked to run. Values are single lines; what is undefined is not sent. */
export interface UnitRequest {
  FS: string;
  TEST: string;
  /** undefined for the built-in suite. */
  SUITE?: 'xfstests' | undefined;
  /** Many tests for one guest, separated by blanks; TEST is the first. */
  TOGETHER?: string | undefined;
  MKFS_OPTIONS?: string | undefined;
  MOUNT_OPTIONS?: string | undefined;
  /** Seconds that the test itself may take. */
  TIMEOUT: number;
  /** The wall clock, microseconds since the epoch: a clone's stands where it was saved. */
  CLOCK?: number;
  /** Hexadecimal: what the guest's random numbers begin with. Clones would share them otherwise. */
  ENTROPY?: string;
  /** For tests that choose at random: 32 bits. */
  SEED?: number;
  /** Bytes that an image of a damaged device may have. */
  IMAGE_BYTES?: number;
  /** 1 where write-back is traced. */
  TRACE?: number | undefined;
  /** Whether the unit's power is cut: 1. */
  POWER_CUT?: 1 | undefined;
  /** In place of a test: 1, to look at images that survived; bytes of each, and what comes first. */
  SURVIVORS?: 1 | undefined;
  IMAGE_SIZE?: number | undefined;
  RECOVERY?: 'journal' | 'repair' | undefined;
  /** In place of a test: tell the kernel's symbols: 1. */
  SYMBOLS?: 1 | undefined;
  /** Modules to load before the one that is sent, separated by blanks. */
  MODULE_NEEDS?: string | undefined;
  /** Devices whose contents follow, in this order and separated by blanks: `test`, `scratch`. */
  CONTENTS?: string | undefined;
  /** In place of the test a session over the terminal's port: see guest-scripts/lib/shell.sh. */
  SESSION?: 'terminal' | 'pipes' | undefined;
  /** What the session runs, in place of an interactive shell: hexadecimal. */
  COMMAND?: string | undefined;
  /** `yes`: nothing is made or mounted before the session, nor checked after it. */
  LOOK?: 'yes' | undefined;
  /** `yes`: the host wants to know where things are in memory. */
  GDB?: 'yes' | undefined;
  /** Of the session's terminal. */
  TERM?: string | undefined;
  /** Its terminfo entry as compiled, hexadecimal. */
  TERMINFO?: string | undefined;
  ROWS?: number | undefined;
  COLUMNS?: number | undefined;
}

/** The request as the guest reads it, the module's bytes at its end. */
export function encodeRequest(request: UnitRequest, module?: Uint8Array): Buffer {
  const lines = Object.entries(request)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key} ${String(value).replaceAll(/[\r\n]/g, ' ')}`);
  if (module) lines.push(`MODULE_BYTES ${module.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\nEND\n`), module ?? Buffer.alloc(0)]);
}
