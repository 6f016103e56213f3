/**
 * The part of the ELF format (elf(5), System V ABI) that kernels and modules need: sections and
 * notes of 64-bit little-endian files.
 */

export interface ElfNote {
  /** Who defines `type`: `GNU`, `Xen`. */
  name: string;
  type: number;
  description: Buffer;
}

export interface Elf {
  sections: Map<string, Buffer>;
  /** Where each section is in memory; 0 if it is not. */
  addresses: Map<string, bigint>;
  /** From all note segments and note sections. */
  notes: ElfNote[];
}

const PT_NOTE = 4;
const SHT_NOTE = 7;
const SHT_NOBITS = 8;

/** undefined if `file` is not a 64-bit little-endian ELF file, or is truncated. */
export function readElf(file: Buffer): Elf | undefined {
  if (!isElf(file)) return undefined;
  try {
    return { ...readSections(file), notes: readNotes(file) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Checks the first bytes: \x7fELF, class 2 (64 bits), data 1 (little-endian). */
export function isElf(start: Buffer): boolean {
  return (
    start.length >= 64 && start.readUInt32BE(0) === 0x7f454c46 && start.readUInt16BE(4) === 0x0201
  );
}

interface Range {
  type: number;
  nameOffset: number;
  start: number;
  size: number;
  align: number;
  address: bigint;
}

function sectionHeaders(file: Buffer): Range[] {
  const table = Number(file.readBigUInt64LE(0x28));
  const size = file.readUInt16LE(0x3a);
  return Array.from({ length: table === 0 ? 0 : file.readUInt16LE(0x3c) }, (_, index) => {
    const at = table + index * size;
    return {
      nameOffset: file.readUInt32LE(at),
      type: file.readUInt32LE(at + 4),
      address: file.readBigUInt64LE(at + 0x10),
      start: Number(file.readBigUInt64LE(at + 0x18)),
      size: Number(file.readBigUInt64LE(at + 0x20)),
      align: Number(file.readBigUInt64LE(at + 0x30)),
    };
  });
}

function programHeaders(file: Buffer): Range[] {
  const table = Number(file.readBigUInt64LE(0x20));
  const size = file.readUInt16LE(0x36);
  return Array.from({ length: file.readUInt16LE(0x38) }, (_, index) => {
    const at = table + index * size;
    return {
      nameOffset: 0,
      type: file.readUInt32LE(at),
      address: file.readBigUInt64LE(at + 0x10),
      start: Number(file.readBigUInt64LE(at + 8)),
      size: Number(file.readBigUInt64LE(at + 0x20)),
      align: Number(file.readBigUInt64LE(at + 0x30)),
    };
  });
}

function readSections(file: Buffer): Pick<Elf, 'sections' | 'addresses'> {
  const headers = sectionHeaders(file);
  const names = headers[file.readUInt16LE(0x3e)];
  const sections = new Map<string, Buffer>();
  const addresses = new Map<string, bigint>();
  if (!names) return { sections, addresses };
  for (const header of headers) {
    const nameStart = names.start + header.nameOffset;
    const name = file.toString('latin1', nameStart, file.indexOf(0, nameStart));
    sections.set(name, header.type === SHT_NOBITS ? Buffer.alloc(0) : contents(file, header));
    addresses.set(name, header.address);
  }
  return { sections, addresses };
}

function contents(file: Buffer, { start, size }: Range): Buffer {
  if (start + size > file.length) throw new RangeError('cut off');
  return file.subarray(start, start + size);
}

function readNotes(file: Buffer): ElfNote[] {
  const notes: ElfNote[] = [];
  const ranges = [
    ...programHeaders(file).filter(({ type }) => type === PT_NOTE),
    ...sectionHeaders(file).filter(({ type }) => type === SHT_NOTE),
  ];
  for (const range of ranges) {
    const bytes = contents(file, range);
    const align = range.align === 8 ? 8 : 4;
    const up = (size: number) => Math.ceil(size / align) * align;
    for (let at = 0; at + 12 <= bytes.length; ) {
      const nameSize = bytes.readUInt32LE(at);
      const descriptionSize = bytes.readUInt32LE(at + 4);
      const description = at + up(12 + nameSize);
      notes.push({
        name: bytes.toString('latin1', at + 12, at + 12 + Math.max(0, nameSize - 1)),
        type: bytes.readUInt32LE(at + 8),
        description: bytes.subarray(description, description + descriptionSize),
      });
      at = description + up(descriptionSize);
    }
  }
  return notes;
}
