/**
 * Reads the table of symbols that a kernel has in its own read-only data, without running it
 * (scripts/kallsyms.c and kernel/kallsyms.c of Linux). A packaged kernel has no other.
 *
 * Names are compressed: 256 tokens stand for frequent pieces. The tables follow each other, aligned to 4 or 8 bytes:
 *
 *     up to 6.3   offsets, relative base, count, names, markers, in some an order of the names, tokens, their index
 *     since 6.4   count, names, markers, tokens, their index, offsets, until 6.19 the relative base
 */

export interface KernelSymbol {
  address: bigint;
  /** As nm(1) prints it: `T` for a function. */
  type: string;
  name: string;
}

const TOKENS = 256;
/** `0` to `9` are tokens of their own, one after the other. */
const DIGITS = Buffer.from('\x000\x001\x002\x003\x004\x005\x006\x007\x008\x009\0', 'latin1');
const FIRST_DIGIT = 0x30;
/** One marker for so many symbols. */
const PER_MARKER = 256;
const LARGEST_TOKENS = 8192;
/** Of the names after the last marker. */
const LARGEST_REST = PER_MARKER * 512;
/** The kernel is linked to run from here; its first symbol is there (arch/x86/include/asm/page_64_types.h). */
const LINKED_AT = Buffer.from('00000081ffffffff', 'hex');

/**
 * @param data the section .rodata
 * @param at where it is in the kernel's memory
 * @returns undefined if there is no such table
 */
export function readKallsyms(data: Buffer, at: bigint): KernelSymbol[] | undefined {
  const tokens = findTokens(data);
  if (!tokens) return undefined;
  const early = findEarlyNames(data, tokens.start);
  const names = early ?? findNames(data, tokens.start);
  if (!names) return undefined;
  const { count } = names;
  const addresses = early
    ? withBase(data, names.start - 16 - align(4 * count, 8), count, names.start - 16)
    : addressesAfter(data, tokens.end, count, at);
  if (!addresses) return undefined;
  return withNames(data, names.start, tokens.texts, addresses);
}

function withNames(
  data: Buffer,
  start: number,
  tokens: readonly string[],
  addresses: readonly bigint[],
): KernelSymbol[] {
  let at = start;
  return addresses.map((address) => {
    const { length, begin } = lengthAt(data, at);
    at = begin + length;
    let text = '';
    for (let index = begin; index < at; index += 1) text += tokens[data[index] ?? 0];
    return { address, type: text.slice(0, 1), name: text.slice(1) };
  });
}

const align = (value: number, to: number) => Math.ceil(value / to) * to;

function findTokens(data: Buffer): { texts: string[]; start: number; end: number } | undefined {
  for (let at = data.indexOf(DIGITS); at >= 0; at = data.indexOf(DIGITS, at + 1)) {
    const digit = at + 1;
    for (let index = align(digit, 4); index < digit + LARGEST_TOKENS; index += 4) {
      if (index + 2 * TOKENS > data.length) break;
      const offset = (token: number) => data.readUInt16LE(index + 2 * token);
      const start = digit - offset(FIRST_DIGIT);
      if (offset(0) !== 0 || start <= 0 || offset(FIRST_DIGIT + 1) - offset(FIRST_DIGIT) !== 2) {
        continue;
      }
      const texts = Array.from({ length: TOKENS }, (_, token) => {
        const from = start + offset(token);
        return data.toString('latin1', from, data.indexOf(0, from));
      });
      const contiguous = texts.every(
        (text, token) =>
          token === TOKENS - 1 || offset(token) + text.length + 1 === offset(token + 1),
      );
      if (contiguous) return { texts, start, end: index + 2 * TOKENS };
    }
  }
  return undefined;
}

interface Names {
  start: number;
  count: number;
}

/** Since 6.4 the markers end where the tokens begin. They are ascending offsets in the names; the first is 0. */
function findNames(data: Buffer, end: number): Names | undefined {
  let first = end - 4;
  if (first >= 0 && data.readUInt32LE(first) === 0) first -= 4;
  const last = first;
  while (first >= 4 && data.readUInt32LE(first) > data.readUInt32LE(first - 4)) first -= 4;
  if (first < 4 || data.readUInt32LE(first) !== 0) return undefined;
  const most = ((last - first) / 4 + 1) * PER_MARKER;
  const nearest = align(first - data.readUInt32LE(last) - 3, 4);
  for (let start = nearest; start > Math.max(8, nearest - LARGEST_REST); start -= 4) {
    for (const before of [4, 8]) {
      const count = data.readUInt32LE(start - before);
      if (count > most - PER_MARKER && count <= most && areNames(data, start, count, first)) {
        return { start, count };
      }
    }
  }
  return undefined;
}

function findEarlyNames(data: Buffer, end: number): Names | undefined {
  for (
    let at = data.indexOf(LINKED_AT);
    at >= 0 && at < end;
    at = data.indexOf(LINKED_AT, at + 1)
  ) {
    if (at % 8 !== 0) continue;
    const count = data.readUInt32LE(at + 8);
    const start = at + 16;
    if (count < PER_MARKER || start + count > end || 4 * count > at) continue;
    const after = skipNames(data, start, count);
    if (after < end && areNames(data, start, count, align(after, 8))) return { start, count };
  }
  return undefined;
}

/** Whether so many names lie between the two places, and the second marker is right. */
function areNames(data: Buffer, start: number, count: number, markers: number): boolean {
  const second = skipNames(data, start, Math.min(count, PER_MARKER));
  if (count > PER_MARKER && data.readUInt32LE(markers + 4) !== second - start) return false;
  const end = skipNames(data, start, count);
  return end <= markers && markers - end < 8 && data.readUInt32LE(markers) === 0;
}

function skipNames(data: Buffer, at: number, count: number): number {
  let to = at;
  for (let index = 0; index < count && to < data.length - 1; index += 1) {
    const { length, begin } = lengthAt(data, to);
    to = begin + length;
  }
  return to;
}

/** Lengths from 128 on have two bytes (since 6.1). */
function lengthAt(data: Buffer, at: number): { length: number; begin: number } {
  const first = data.readUInt8(at);
  if (first < 128) return { length: first, begin: at + 1 };
  return { length: (first & 127) | (data.readUInt8(at + 1) << 7), begin: at + 2 };
}

/** The first symbol is where the kernel is linked to run. Offsets count from a base, or each from its own place. */
function addressesAfter(
  data: Buffer,
  offsets: number,
  count: number,
  at: bigint,
): bigint[] | undefined {
  const end = offsets + 4 * count;
  for (const base of [end, align(end, 8)]) {
    const found = withBase(data, offsets, count, base);
    if (found) return found;
  }
  if (end > data.length) return undefined;
  const addresses = Array.from({ length: count }, (_, index) => {
    const place = offsets + 4 * index;
    return at + BigInt(place) + BigInt(data.readInt32LE(place));
  });
  return addresses[0] === LINKED_AT.readBigUInt64LE(0) ? addresses : undefined;
}

/**
 * Each offset counts from the base. If some are negative, the others are addresses: those of variables that each CPU
 * has (CONFIG_KALLSYMS_ABSOLUTE_PERCPU).
 */
function withBase(
  data: Buffer,
  offsets: number,
  count: number,
  base: number,
): bigint[] | undefined {
  if (offsets < 0 || base + 8 > data.length) return undefined;
  const relative = data.readBigUInt64LE(base);
  if (relative !== LINKED_AT.readBigUInt64LE(0)) return undefined;
  const values = Array.from({ length: count }, (_, index) => data.readInt32LE(offsets + 4 * index));
  const absolute = values.some((value) => value < 0);
  return values.map((value) => {
    if (!absolute) return relative + BigInt(value);
    return value < 0 ? relative - 1n - BigInt(value) : BigInt(value);
  });
}
