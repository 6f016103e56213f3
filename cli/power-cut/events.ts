import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from '../schema.js';
import { BrokenFile } from './broken-file.js';

/**
 * What the plugin says while the guest runs, one line of events.jsonl each (power-cut/plugin/output.c).
 * Texts of the guest come as it gave them, byte by byte, and are not to be trusted.
 */

/** Bytes that the plugin wrote as \u0000 to \u00ff, as the UTF-8 that the guest meant. */
export const GuestText = z
  .string()
  .transform((text) => Buffer.from(text, 'latin1').toString('utf8'));

const Sequence = { sequence: z.number().int() };

const Instruction = z.object({
  /** Hexadecimal, `0xffffffff81…`. */
  address: z.string(),
  kernel: z.boolean(),
});

/** The virtual address as the instruction was translated; which program it was is not known. */
export const SiteSchema = Instruction.extend({
  cpu: z.number().int(),
  kind: z.enum(['store', 'non-temporal', 'clflush', 'clflushopt', 'clwb', 'request']),
});
export type Site = z.infer<typeof SiteSchema>;

const Counters = z.object({
  /** Stores to pmem, its write-backs, fences that had something to order, requests for a flush. */
  stores: z.number(),
  writeBacks: z.number(),
  fences: z.number(),
  requests: z.number(),
  /** Operands of flushes at which nothing was mapped. */
  untranslated: z.number(),
});

export const CutSchema = z.object({
  event: z.literal('cut'),
  ...Sequence,
  /** Counts from 1. */
  cut: z.number().int(),
  /** `call`: right after a sync call has returned, whose event comes before. */
  cause: z.enum(['promise', 'marker', 'moment', 'call']),
  label: GuestText,
  cpu: z.number().int(),
  /** `nothing` first: nothing survives that was not sure to. `everything`; `random-1` and so on. */
  states: z.array(z.string().regex(/^(?:nothing|everything|random-\d+)$/)),
  /** Lines of 64 bytes: stored to since the last write-back; with write-backs on their way. */
  dirty: z.number().int(),
  pending: z.number().int(),
  /** Lines that the guest reads otherwise than they are on the medium. */
  lost: z.number().int(),
  /**
   * At a drawn moment: the store or write-back that the cut came after, or the fence it came before; null
   * where it came before a request.
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
    /** Requests for a flush that were seen before. */
    requests: z.number(),
  }),
  z.object({
    event: z.literal('promise'),
    ...Sequence,
    cpu: z.number().int(),
    text: GuestText,
  }),
  /** A sync call has returned 0, as the guest's kernel tells (kernels/witness/sync-calls.c). */
  z.object({
    event: z.literal('return'),
    ...Sequence,
    cpu: z.number().int(),
    text: GuestText,
    /** Whether it is known when it began; else nothing is known of what was stored before. */
    known: z.boolean(),
    /** Lines whose last store came before the call began, and that are not on the medium. */
    lost: z.number().int(),
  }),
  CutSchema,
  /** No more cuts, for this reason. */
  z.object({ event: z.literal('limit'), ...Sequence, what: z.enum(['max-cuts', 'max-bytes']) }),
  /** What makes all of it worthless. */
  z.object({ event: z.literal('problem'), ...Sequence, text: z.string() }),
  /** The guest said END. */
  z.object({ event: z.literal('stop'), ...Sequence, label: GuestText, counters: Counters }),
  /** QEMU ended by itself; one that was killed says nothing. */
  z.object({ event: z.literal('end'), ...Sequence, counters: Counters }),
]);
export type PowerCutEvent = z.infer<typeof PowerCutEventSchema>;

/** Milliseconds between two looks at what the plugin has said. */
const LOOK = 25;

/**
 * All whole lines, as they come, until `over` has resolved and no more come. Throws where one is not of this
 * form: the plugin, not the guest, wrote them. Where one is missing, it throws `BrokenFile`.
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
      // All is ASCII.
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

/** The same of a guest that is over. */
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

/** What a cut's files begin with. */
export function cutName(cut: number): string {
  return `cut-${String(cut).padStart(6, '0')}`;
}
