import type { BrokenPromise } from './broken-promise.js';
import { brokenByCall } from './call-answers.js';
import { questionsOfCall } from './calls.js';
import type { Claims, MoveClaim, NameClaim, StableFile, StablePart } from './ledger.js';

/** The questions about an image, one per line. */
export function questionsOf({ names, call }: Claims): string {
  if (call) return questionsOfCall(call);
  return names
    .map(({ name, files }) => {
      const parts = files.flatMap((file) => file.parts);
      return `name ${name}\n${parts.map(partLine).join('')}`;
    })
    .join('');
}

function partLine({ from, to, byte }: StablePart): string {
  return `data ${from} ${to - from} ${byte}\n`;
}

/** @returns undefined if the answers do not match these questions */
export function brokenPromises(claims: Claims, text: string): BrokenPromise[] | undefined {
  if (claims.call) return brokenByCall(claims.call, text);
  const lines = text.split('\n');
  const found = new Map<string, NameAnswer>();
  const broken: BrokenPromise[] = [];
  for (const claim of claims.names) {
    const answer = readName(lines.shift());
    if (!answer) return undefined;
    found.set(claim.name, answer);
    const files: FileAnswer[] = [];
    for (const file of claim.files) {
      const parts = file.parts.map(() => readData(lines.shift()));
      if (parts.includes(undefined)) return undefined;
      files.push({ file, parts: parts as DataAnswer[] });
    }
    const one = brokenName(claim, answer, files);
    if (one) broken.push(one);
  }
  if (lines.shift() !== 'end') return undefined;
  return [...broken, ...claims.moves.flatMap((move) => brokenMove(move, found))];
}

type NameAnswer =
  | { is: 'absent' | 'other' }
  | { is: 'file'; size: number }
  | { is: 'unreadable'; error: number };

type DataAnswer =
  | { is: 'same' }
  | { is: 'short'; at: number }
  | { is: 'unreadable'; error: number }
  | { is: 'differs'; first: number; last: number; count: number; byte: number; position: number };

interface FileAnswer {
  file: StableFile;
  parts: DataAnswer[];
}

function readName(line = ''): NameAnswer | undefined {
  const [, is, value] = /^name (absent|other|file|unreadable)(?: (\d+))?$/.exec(line) ?? [];
  if (is === 'absent' || is === 'other') return { is };
  if (value === undefined) return undefined;
  return is === 'file' ? { is, size: Number(value) } : { is: 'unreadable', error: Number(value) };
}

function readData(line = ''): DataAnswer | undefined {
  const [, is, rest] = /^data (same|short|unreadable|differs)((?: -?\d+)*)$/.exec(line) ?? [];
  const [first = -1, last = -1, count = -1, byte = -1, position = -1] = (rest ?? '')
    .split(' ')
    .slice(1)
    .map(Number);
  switch (is) {
    case 'same':
      return { is };
    case 'short':
      return first < 0 ? undefined : { is, at: first };
    case 'unreadable':
      return first < 0 ? undefined : { is, error: first };
    case 'differs':
      return byte < 0 ? undefined : { is, first, last, count, byte, position };
    default:
      return undefined;
  }
}

function brokenName(
  { name, mayBeAbsent, files, by = 'none' }: NameClaim,
  answer: NameAnswer,
  answers: readonly FileAnswer[],
): BrokenPromise | undefined {
  const wrong = (message: string): BrokenPromise => ({ kind: 'name', by, name, message });
  switch (answer.is) {
    case 'absent':
      return mayBeAbsent ? undefined : wrong(`${name} is not there`);
    case 'other':
      return wrong(`${name} is no regular file`);
    case 'unreadable':
      return wrong(`${name} cannot be read (error ${answer.error})`);
  }
  if (files.length === 0) return wrong(`${name} is still there`);
  const broken = answers.map((one) => brokenFile(name, answer.size, one));
  // The newest promise is the one that is known best.
  return broken.some((one) => one === undefined) ? undefined : broken.at(-1);
}

function brokenFile(
  name: string,
  size: number,
  { file, parts }: FileAnswer,
): BrokenPromise | undefined {
  for (const [index, answer] of parts.entries()) {
    const part = file.parts[index];
    const broken = part && brokenPart(name, part, answer);
    if (broken) return broken;
  }
  if (file.size && file.size.bytes !== size) {
    const message = `${name} has ${size} bytes, not ${file.size.bytes}`;
    return { kind: 'size', by: file.size.by, name, message };
  }
  return undefined;
}

function brokenPart(name: string, part: StablePart, answer: DataAnswer): BrokenPromise | undefined {
  const { from, to, by } = part;
  const base = { by, name, part: { from, to } };
  switch (answer.is) {
    case 'same':
      return undefined;
    case 'short': {
      const message = `${name} ends at byte ${answer.at}, before the end of what is promised (${to})`;
      return { ...base, kind: 'size', message };
    }
    case 'unreadable': {
      const message = `${name} cannot be read (error ${answer.error})`;
      return { ...base, kind: 'data', from, to, message };
    }
    case 'differs': {
      const { first, last, count, byte, position } = answer;
      const which =
        first === last
          ? `byte ${first} is not what was promised: it`
          : `bytes ${first} to ${last} are not what was promised: byte ${first}`;
      const message = `${name}: ${which} is ${hex(byte)}, not ${hex(part.byte)}`;
      return {
        ...base,
        kind: 'data',
        from: first,
        to: last + 1,
        wrongBytes: count,
        ...(position >= 0 ? { position } : {}),
        message,
      };
    }
  }
}

function brokenMove(
  { from, to }: MoveClaim,
  found: ReadonlyMap<string, NameAnswer>,
): BrokenPromise[] {
  if ([from, to].some((name) => found.get(name)?.is !== 'absent')) return [];
  const message = `neither ${from} nor ${to}, to which it was being renamed, is there`;
  return [{ kind: 'rename', by: 'rename', name: from, message }];
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
