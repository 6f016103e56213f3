import { z } from '../schema.js';
import type { BrokenPromise } from './broken-promise.js';
import { GuestText, type Lost } from './events.js';

/**
 * What sync calls promise that were seen from outside: nobody tells what a test wrote. It is known line
 * by line what was stored before a call began, and which of it is not on the medium when it has returned.
 * A line of a block of the file, within the range that was synced, is a broken promise, whatever it holds.
 */

const number = z.number().int().nonnegative();

/** The marks of kernels/witness/sync-calls.c, which says what they mean. The guest's own text. */
const MarkSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('call'),
    by: z.string().regex(/^[A-Za-z_]{1,20}$/),
    /** TEST_DEV is 0, SCRATCH_DEV 1. Absent: all of them. */
    device: number.optional(),
    inode: number.optional(),
    generation: number.optional(),
    from: number.optional(),
    to: number.optional(),
    size: number.optional(),
    blocks: number.optional(),
    links: number.optional(),
    kept: z.boolean(),
    unchanged: z.boolean().optional(),
    program: GuestText,
    path: GuestText.optional(),
  }),
  z.object({ kind: z.literal('mounted'), device: number }),
  z.object({ kind: z.literal('unmounting'), device: number }),
  z.object({ kind: z.literal('calls'), seen: number, failed: number, missed: number }),
]);
export type CallMark = z.infer<typeof MarkSchema>;
export type SyncCall = Extract<CallMark, { kind: 'call' }>;

/** undefined where it is none. */
export function readMark(text: string): CallMark | undefined {
  try {
    return MarkSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What has to hold of an image after a cut right after a call. */
export interface CallClaim {
  by: string;
  /** Of a call on one file. */
  file?: {
    inode: number;
    generation: number;
    /** Bytes that were synced. */
    from: number;
    to: number;
    /** Up to here. */
    size: number;
    /** As it was opened, without the first slash; else its number. */
    path: string;
    /** Size and number of blocks are promised, too: nobody changed them. */
    unchanged?: { blocks: number } | undefined;
    /** It has to be there under some name. */
    named: boolean;
  };
  /** What was stored before the call and is not on the medium; for the image that has everything. */
  lost: readonly Lost[];
}

const LINE = 64;

export function claimOf(call: SyncCall, keepsName: boolean, lost: readonly Lost[]): CallClaim {
  const { by, inode, generation = 0, from = 0, to = 0, size = 0, blocks = 0, links = 0 } = call;
  const path = call.path?.replace(/^\//, '') ?? `inode ${inode}`;
  const claimed = call.kept ? lost.filter(({ before }) => before) : [];
  if (inode === undefined) return { by, lost: claimed };
  const unchanged = call.unchanged === true;
  const whole = by === 'fsync' || by === 'O_SYNC';
  return {
    by,
    file: {
      ...{ inode, generation, from, to, size, path },
      ...(unchanged ? { unchanged: { blocks } } : {}),
      named: keepsName && whole && unchanged && links > 0,
    },
    lost: claimed,
  };
}

/** @param claim its lost lines in the order of their offsets, as the plugin writes them */
export function questionsOfCall({ file, lost }: CallClaim): string {
  const parts = touching(lost).map(({ offset, length }) => `lost ${offset} ${length}\n`);
  const whose = file ? `inode ${file.inode} ${file.generation}\n` : lost.length > 0 ? 'tree\n' : '';
  return `${parts.join('')}${whose}`;
}

/** Runs that differ only in who stored them are one part of the device. */
function touching(lost: readonly Lost[]): { offset: number; length: number }[] {
  const parts: { offset: number; length: number }[] = [];
  for (const { offset, lines } of lost) {
    const length = lines * LINE;
    const last = parts.at(-1);
    if (last && last.offset + last.length === offset) last.length += length;
    else parts.push({ offset, length });
  }
  return parts;
}

/** A part of a file that is lost, and where it is on the device. */
interface Held {
  offset: number;
  position: number;
  length: number;
}

interface FoundFile {
  inode: number;
  size: number;
  blocks: number;
  links: number;
  path: string;
  held: Held[];
}

/**
 * Where the image was repaired, it was asked before that whose the lost lines are, since a repair can give a
 * file other blocks, and of the rest after it.
 *
 * @returns undefined where the answers are not those to these questions
 */
export function brokenByCall(claim: CallClaim, answers: string): BrokenPromise[] | undefined {
  const [before = '', text] = answers.split('repaired\n');
  if (text === undefined) return broken(claim, answers);
  const data = broken(claim, before)?.filter(({ kind }) => kind === 'data');
  const rest = broken(claim, text)?.filter(({ kind }) => kind !== 'data');
  return data && rest && [...data, ...rest];
}

function broken(claim: CallClaim, text: string): BrokenPromise[] | undefined {
  if (questionsOfCall(claim) === '') return text === 'end\n' ? [] : undefined;
  const files = readFiles(text);
  if (!files) return undefined;
  const { file, by } = claim;
  const promises = files.flatMap((one) => brokenData(claim, one) ?? []);
  if (!file) return promises;
  const found = files.find(({ inode }) => inode === file.inode);
  const name = file.path;
  const wrong = (kind: BrokenPromise['kind'], message: string) =>
    promises.push({ kind, by, name, message: `${name} ${message}` });
  if (!found || found.links === 0) {
    if (file.named) wrong('name', `(inode ${file.inode}) is not there, under any name`);
  } else if (file.unchanged && found.size !== file.size) {
    wrong('size', `has ${found.size} bytes, not ${file.size}`);
  } else if (file.unchanged && found.blocks < file.unchanged.blocks) {
    wrong('blocks', `has ${found.blocks} blocks of 512 bytes, not ${file.unchanged.blocks}`);
  }
  return promises;
}

function brokenData({ by, file, lost }: CallClaim, found: FoundFile): BrokenPromise | undefined {
  const from = file?.from ?? 0;
  const to = Math.min(file?.to ?? Number.MAX_SAFE_INTEGER, file?.size ?? found.size, found.size);
  const parts = join(
    found.held
      .map(({ offset, position, length }): Held => {
        const less = Math.max(0, from - offset);
        const end = Math.min(offset + length, to);
        return { offset: offset + less, position: position + less, length: end - offset - less };
      })
      .filter(({ length }) => length > 0)
      .sort((a, b) => a.offset - b.offset),
  );
  const [first, ...more] = parts;
  if (!first) return undefined;
  const run = lost.find(
    ({ offset, lines }) => first.position >= offset && first.position < offset + lines * LINE,
  );
  const end = first.offset + first.length;
  const name = file?.path ?? found.path;
  const others =
    more.length > 0 ? ` and ${more.length} more part${more.length > 1 ? 's' : ''}` : '';
  return {
    kind: 'data',
    by,
    name,
    from: first.offset,
    to: end,
    position: first.position,
    ...(run ? { lost: run } : {}),
    message: `${name}: bytes ${first.offset} to ${end - 1}${others} are not what was there before the call`,
  };
}

/** Parts of a file one after the other, whatever their places on the device, as one. */
function join(parts: readonly Held[]): Held[] {
  const joined: Held[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last && last.offset + last.length === part.offset) last.length += part.length;
    else joined.push({ ...part });
  }
  return joined;
}

/** The answer to `inode` and `tree` (guest-scripts/programs/survivor.c). */
function readFiles(text: string): FoundFile[] | undefined {
  const lines = text.split('\n');
  if (lines.slice(-3).join('\n') !== 'done\nend\n') return undefined;
  const files: FoundFile[] = [];
  for (const line of lines.slice(0, -3)) {
    const [, inode, size, blocks, links, path] =
      /^file (\d+) (\d+) (\d+) (\d+) (\S*)$/.exec(line) ?? [];
    if (path !== undefined) {
      files.push({
        ...{ inode: Number(inode), size: Number(size), blocks: Number(blocks) },
        ...{ links: Number(links), path, held: [] },
      });
      continue;
    }
    const [, offset, position, length] = /^held (\d+) (\d+) (\d+)$/.exec(line) ?? [];
    const file = files.at(-1);
    if (length === undefined || !file) return undefined;
    const held = { offset: Number(offset), position: Number(position), length: Number(length) };
    file.held.push(held);
  }
  return files;
}
