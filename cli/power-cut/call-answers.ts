import type { BrokenPromise } from './broken-promise.js';
import { type CallClaim, questionsOfCall } from './calls.js';
import { runAt } from './lost.js';

/** What the answers of an image say about a sync call. Pure. */

/** A lost part of a file, and its place on the device. */
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
 * An image that needed a repair was asked twice. Its answers from before the repair tell which files own the
 * lost lines, since a repair can give a file other blocks. Its answers from after the repair tell the rest.
 *
 * @returns undefined if the answers do not match these questions
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
  const run = runAt(lost, first.position);
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

/** Joins parts that are adjacent in the file, wherever they are on the device. */
function join(parts: readonly Held[]): Held[] {
  const joined: Held[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last && last.offset + last.length === part.offset) last.length += part.length;
    else joined.push({ ...part });
  }
  return joined;
}

/** The answers to `inode` and `tree` (guest-scripts/programs/survivor). */
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
