/**
 * Reads offsets of members from a kernel's type information (Documentation/bpf/btf.rst of Linux). Kernels have it in
 * their section .BTF if they were built with CONFIG_DEBUG_INFO_BTF.
 */

const MAGIC = 0xeb9f;
const KIND = {
  ...{ int: 1, pointer: 2, array: 3, struct: 4, union: 5, enum: 6, typedef: 8, volatile: 9 },
  ...{ const: 10, prototype: 13, variable: 14, section: 15, declTag: 17, enum64: 19 },
};

/** Bytes after the 12 of each type, by its kind: fixed, or for each of its `vlen` parts. */
const FIXED = new Map([
  [KIND.int, 4],
  [KIND.array, 12],
  [KIND.variable, 4],
  [KIND.declTag, 4],
]);
const EACH = new Map([
  [KIND.struct, 12],
  [KIND.union, 12],
  [KIND.enum, 8],
  [KIND.prototype, 8],
  [KIND.section, 12],
  [KIND.enum64, 12],
]);

export class Btf {
  /** Where each type begins; the first is void. */
  readonly #types: number[] = [0];
  readonly #data: Buffer;
  readonly #strings: number;
  readonly #structs = new Map<string, number>();

  private constructor(data: Buffer) {
    this.#data = data;
    const header = data.readUInt32LE(4);
    const from = header + data.readUInt32LE(8);
    this.#strings = header + data.readUInt32LE(16);
    const end = from + data.readUInt32LE(12);
    for (let at = from; at < end; ) {
      const { kind, parts } = this.#info(at);
      if (kind === KIND.struct) {
        const name = this.#text(data.readUInt32LE(at));
        if (!this.#structs.has(name)) this.#structs.set(name, at);
      }
      this.#types.push(at);
      at += 12 + (FIXED.get(kind) ?? 0) + (EACH.get(kind) ?? 0) * parts;
    }
  }

  /** @returns undefined if it is not such information, or truncated */
  static read(section: Buffer | undefined): Btf | undefined {
    if (!section || section.length < 24 || section.readUInt16LE(0) !== MAGIC) return undefined;
    try {
      return new Btf(section);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** In bytes, through members without a name; undefined if there is no such member, or it is a bit field. */
  offsetOf(struct: string, ...path: readonly string[]): number | undefined {
    let at = this.#structs.get(struct);
    let offset = 0;
    for (const member of path) {
      const found = at === undefined ? undefined : this.#member(at, member);
      if (!found) return undefined;
      offset += found.offset;
      at = this.#resolve(found.type);
    }
    return offset;
  }

  sizeOf(struct: string): number | undefined {
    const at = this.#structs.get(struct);
    return at === undefined ? undefined : this.#data.readUInt32LE(at + 8);
  }

  #info(at: number): { kind: number; parts: number; flag: boolean } {
    const info = this.#data.readUInt32LE(at + 4);
    return { kind: (info >> 24) & 31, parts: info & 0xffff, flag: info >>> 31 === 1 };
  }

  #text(offset: number): string {
    const from = this.#strings + offset;
    return this.#data.toString('latin1', from, this.#data.indexOf(0, from));
  }

  #member(struct: number, name: string): { offset: number; type: number } | undefined {
    const { parts, flag } = this.#info(struct);
    for (let index = 0; index < parts; index += 1) {
      const at = struct + 12 + 12 * index;
      const bits = this.#data.readUInt32LE(at + 8);
      const position = flag ? bits & 0xffffff : bits;
      if (position % 8 !== 0) continue;
      const type = this.#data.readUInt32LE(at + 4);
      const own = this.#text(this.#data.readUInt32LE(at));
      if (own === name) return { offset: position / 8, type };
      const inner = own === '' ? this.#resolve(type) : undefined;
      const found = inner === undefined ? undefined : this.#member(inner, name);
      if (found) return { offset: position / 8 + found.offset, type: found.type };
    }
    return undefined;
  }

  /** The struct or union that a type is, by another name or as the element of an array. */
  #resolve(type: number): number | undefined {
    const at = this.#types[type];
    if (!at) return undefined;
    const { kind } = this.#info(at);
    if (kind === KIND.struct || kind === KIND.union) return at;
    if (kind === KIND.array) return this.#resolve(this.#data.readUInt32LE(at + 12));
    const named = kind === KIND.typedef || kind === KIND.const || kind === KIND.volatile;
    return named ? this.#resolve(this.#data.readUInt32LE(at + 8)) : undefined;
  }
}
