import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from '../schema.js';
import { BrokenFile } from './broken-file.js';

/**
 * What the plugin reports while the guest runs: the lines of events.jsonl (power-cut/plugin/output.c). Texts
 * from the guest arrive byte by byte as the guest gave them, and must not be trusted.
 */

/** Decodes bytes that the plugin wrote as \u0000 to \u00ff into the UTF-8 text that the guest meant. */
export const GuestText = z
  .string()
  .transform((text) => Buffer.from(text, 'latin1').toString('utf8'));

const Sequence = { sequence: z.number().int() };

const Instruction = z.object({
  /** Hexadecimal, `0xffffffff81…`. */
  address: z.string(),
  kernel: z.boolean(),
});

/** The virtual address at which the instruction was translated. The program is not known. */
export const SiteSchema = Instruction.extend({
  cpu: z.number().int(),
  kind: z.enum(['store', 'non-temporal', 'clflush', 'clflushopt', 'clwb', 'request']),
});
export type Site = z.infer<typeof SiteSchema>;

const Counters = z.object({
  /** Counts of stores to pmem, write-backs of it, fences that had something to order, and flush requests. */
  stores: z.number(),
  writeBacks: z.number(),
  fences: z.number(),
  requests: z.number(),
  /** Flushes whose operand was not mapped. */
  untranslated: z.number(),
});

export const CutSchema = z.object({
  event: z.literal('cut'),
  ...Sequence,
  /** Counts from 1. */
  cut: z.number().int(),
  /** `call`: right after a sync call has returned; the event of that call comes first. */
  cause: z.enum(['promise', 'marker', 'moment', 'call']),
  label: GuestText,
  cpu: z.number().int(),
  /** Begins with `nothing`: only what is sure to survive does. Then `everything`, `random-1` and so on. */
  states: z.array(z.string().regex(/^(?:nothing|everything|random-\d+)$/)),
  /** Lines of 64 bytes: those stored to since their last write-back, and those whose write-back is under way. */
  dirty: z.number().int(),
  pending: z.number().int(),
  /** Lines whose contents in the guest's memory differ from the medium. */
  lost: z.number().int(),
  /**
   * For a cut at a random moment: the store or write-back before the cut, or the fence after it; null if a
   * flush request comes after it.
   */
  store: Instruction.nullable(),
});
export type CutEvent = z.infer<typeof CutSchema>;

export const PowerCutEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('open'),
    ...Sequence,
    version: z.literal(1),
    ranges: z.array(
      z.object({
        start: z.number(),
        size: z.number(),
        flush: z.enum(['instructions', 'requests']),
      }),
    ),
    seed: z.number(),
  }),
  z.object({
    event: z.literal('begin'),
    ...Sequence,
    label: GuestText,
    /** Flush requests seen before this one. */
    requests: z.number(),
  }),
  z.object({
    event: z.literal('promise'),
    ...Sequence,
    cpu: z.number().int(),
    text: GuestText,
  }),
  /** A sync call has returned 0, as the guest's kernel reports (kernels/witness/sync-calls.c). */
  z.object({
    event: z.literal('return'),
    ...Sequence,
    cpu: z.number().int(),
    text: GuestText,
    /** Whether the begin of the call is known. If not, it is unknown what was stored before. */
    known: z.boolean(),
    /** Lines whose last store came before the call began, and that are not on the medium. */
    lost: z.number().int(),
  }),
  CutSchema,
  /** No more cuts follow, for this reason. */
  z.object({ event: z.literal('limit'), ...Sequence, what: z.enum(['max-cuts', 'max-bytes']) }),
  /** An error that makes all results unusable. */
  z.object({ event: z.literal('problem'), ...Sequence, text: z.string() }),
  /** The guest said END. */
  z.object({ event: z.literal('stop'), ...Sequence, label: GuestText, counters: Counters }),
  /** QEMU ended by itself. A QEMU that is killed writes no such event. */
  z.object({ event: z.literal('end'), ...Sequence, counters: Counters }),
]);
export type PowerCutEvent = z.infer<typeof PowerCutEventSchema>;

/** Milliseconds between two reads of the file. */
const LOOK = 25;

/**
 * All complete lines as they arrive, until `over` has resolved and no more come. Throws if a line is malformed,
 * because the plugin wrote it, not the guest. Throws `BrokenFile` if a line is missing.
 */
export async function* followEvents(
  directory: string,
  over: Promise<unknown>,
): AsyncGenerator<PowerCutEvent> {
  let ended = false;
  const end = over.then(() => {
    ended = true;
  });
  let file: FileHandle | undefined;
  try {
    const buffer = Buffer.alloc(65536);
    const path = join(directory, 'events.jsonl');
    for (let rest = '', number = 1; ; ) {
      const last = ended;
      file ??= await openWhereThere(path);
      const { bytesRead = 0 } = (await file?.read({ buffer })) ?? {};
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = lines.pop() ?? '';
      // The file is plain ASCII.
      for (const line of lines) {
        const event = PowerCutEventSchema.parse(JSON.parse(line));
        if (event.sequence !== number) {
          throw new BrokenFile(
            `event ${number} of ${path} is missing: the next is ${event.sequence}`,
          );
        }
        number += 1;
        yield event;
      }
      if (bytesRead > 0) continue;
      if (last) return;
      await Promise.race([end, setTimeout(LOOK)]);
    }
  } finally {
    await file?.close();
  }
}

async function openWhereThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The same for a guest that has ended. */
export async function readEvents(directory: string): Promise<PowerCutEvent[]> {
  const events: PowerCutEvent[] = [];
  for await (const event of followEvents(directory, Promise.resolve())) events.push(event);
  return events;
}

/** All files of a cut. */
export function filesOfCut(directory: string, { cut, states }: CutEvent): string[] {
  const [, ...others] = states;
  const suffixes = ['medium', ...(others.length > 0 ? ['lost.jsonl', ...others] : [])];
  return suffixes.map((suffix) => join(directory, `${cutName(cut)}.${suffix}`));
}

/** The prefix of a cut's files. */
export function cutName(cut: number): string {
  return `cut-${String(cut).padStart(6, '0')}`;
}
