import { type GuestCode, isKernelAddress, type Place } from './code.js';
import type { KernelTables } from './kernel-tables.js';
import type { Seen, SeenAll } from './stores.js';
import { unwind } from './unwind.js';
import { findsBuffers, type Watched } from './watch-byte.js';

/** What a replay showed about a byte. Nothing in it is inferred from anything but what the guest executed. */
export interface Answer {
  /** As the user named it. */
  asked: string;
  physical?: string | undefined;
  virtual?: string | undefined;
  /** On TEST_DEV: bytes from its start, and the same in blocks. */
  place?: { offset: number; block: number; byte: number } | undefined;
  /** Stores to the kernel's buffers of the block; of a virtual address, to that. */
  memory: Stores;
  /** Stores to the physical address: for a block or a file, to the medium. */
  medium: Stores & {
    /** What brought the last store to the medium; null if nothing did. */
    flushed: Event[] | null;
  };
  /**
   * Whether anything was stored to the byte's place on the medium after the last store to a buffer; undefined unless
   * there was one.
   */
  copied?: boolean | undefined;
  /** What was not looked at. */
  notes: string[];
}

export interface Stores {
  /** undefined if some belong to another device, and the oldest are not known any more. */
  count?: number | undefined;
  /** The last ones, in order. */
  last: StoreEvent[];
}

export interface Event {
  /**
   * How many instructions had been executed, this one too. The plugin counts; at the end its number is compared with
   * QEMU's. If they differ by d, the number lies between these two, d apart on each side.
   */
  instructions: { least: number; most: number };
  /** Seconds of the kernel's log clock, at the last tick before. */
  seconds?: number | undefined;
  /** The line of the console that was shown last, from 1; null before the first. */
  console: { line: number; text: string } | null;
  /** undefined if it is not known. */
  process?: { name: string; pid: number } | undefined;
  code: Place;
  /** The callers, the nearest first. Empty for a program's own code. */
  callers: Place[];
  /** Whether `callers` reaches the system call, the exception or the beginning of the thread. */
  complete: boolean;
}

export interface StoreEvent extends Event {
  /** The stored bytes in hexadecimal digits, the lowest address first. */
  value: string;
  nonTemporal: boolean;
}

interface Context {
  asked: string;
  code: GuestCode;
  console: Buffer;
  kernel: KernelTables | undefined;
  /** Of the replay. */
  instructions: number;
}

/** How many stores are told. */
const TOLD = 5;

export function answerOf(seen: SeenAll, watched: Watched, context: Context): Answer {
  const { asked, kernel } = context;
  const { located, physical, virtual, disk } = watched;
  const describe = describer(seen, context);
  const own = seen.memory.filter((one) => !located || one.disk === disk);
  const onMedium = seen.medium.filter(({ kind }) => kind === 'medium-store');
  const last = own.at(-1);
  const whole = own.length === seen.memory.length;
  const forgotten = (seen.end?.memory ?? 0) > seen.memory.length;
  const storesOfMedium = (seen.end?.medium ?? 0) > seen.medium.length ? undefined : onMedium.length;
  return {
    ...{ asked, physical: hex(physical), virtual: hex(virtual) },
    place: located && { offset: located.offset, block: located.block, byte: located.byte },
    memory: {
      count: whole ? seen.end?.memory : forgotten ? undefined : own.length,
      last: own.slice(-TOLD).map(describe.store),
    },
    medium: {
      count: storesOfMedium,
      last: onMedium.slice(-TOLD).map(describe.store),
      flushed: flushOf(seen.medium)?.map(describe.event) ?? null,
    },
    copied: last && located ? onMedium.some(({ number }) => number > last.number) : undefined,
    notes: notesOf(watched, kernel),
  };
}

const hex = (address: bigint | undefined) =>
  address === undefined ? undefined : `0x${address.toString(16)}`;

/**
 * What came after the last store to the medium and brought it there: a fence for a non-temporal store; for another, a
 * write-back of its line and then a fence.
 */
export function flushOf(events: readonly Seen[]): Seen[] | undefined {
  const store = events.findLastIndex(({ kind }) => kind === 'medium-store');
  if (store < 0) return undefined;
  const after = events.slice(store + 1);
  if (events[store]?.nonTemporal) {
    const fence = after.find(({ kind }) => kind === 'on-medium');
    return fence && [fence];
  }
  const writeBack = after.findIndex(({ kind }) => kind === 'write-back');
  if (writeBack < 0) return undefined;
  const fence = after.slice(writeBack + 1).find(({ kind }) => kind === 'on-medium');
  const first = after[writeBack];
  return first && fence && [first, fence];
}

function notesOf({ located, physical }: Watched, kernel: KernelTables | undefined): string[] {
  const notes: string[] = [];
  if (!kernel)
    notes.push('the kernel is not a vmlinux with symbols, so its functions have no names');
  else if (!kernel.types) {
    notes.push(
      'the kernel does not describe its types (CONFIG_DEBUG_INFO_BTF), so no process is known',
    );
  }
  if (located && !findsBuffers(located, kernel)) {
    notes.push(
      'stores to buffers of the kernel were not looked for; only those to the medium itself',
    );
  }
  if (physical === undefined)
    notes.push('stores through other mappings of the same memory were not looked for');
  return notes;
}

function describer(seen: SeenAll, { code, console, instructions }: Context) {
  const counted = seen.end?.instructions ?? 0;
  const error = Math.abs(counted - instructions);
  const event = (one: Seen): Event => ({
    instructions: {
      least: Math.max(0, one.instructions - error),
      most: Math.min(one.instructions + error, instructions),
    },
    seconds: one.clock === 0n ? undefined : Number(one.clock / 1000n) / 1e6,
    console: lastLine(console, one.console),
    process: one.process && { name: one.process.name, pid: one.process.tgid },
    ...traceOf(one, code),
  });
  const store = (one: Seen): StoreEvent => ({
    ...event(one),
    value: one.value.toString('hex'),
    nonTemporal: one.nonTemporal,
  });
  return { event, store };
}

function traceOf(one: Seen, code: GuestCode): Pick<Event, 'code' | 'callers' | 'complete'> {
  if (!isKernelAddress(one.code)) {
    return { code: code.place(one.code), callers: [], complete: false };
  }
  const { frames, end } = unwind(one.code, one.registers, one.stack, code);
  return {
    code: code.place(one.code),
    callers: frames.slice(1).map((address) => code.place(address)),
    complete: end !== 'unknown',
  };
}

/** @param shown how many bytes the console had shown */
function lastLine(console: Buffer, shown: number): Event['console'] {
  const lines = console.subarray(0, shown).toString('utf8').split('\n');
  const whole = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  const text = whole.at(-1);
  return text === undefined ? null : { line: whole.length, text: text.replace(/\r$/, '') };
}
