import type { CallClaim } from './calls.js';
import type { Guarantees } from './guarantees.js';
import type { PromiseRecord } from './records.js';

/**
 * Which promises are outstanding at a moment: what was promised and has not been changed since. Pure.
 *
 * A change is told before it is made: from then on, until the next promise, the bytes of its range may
 * be old, new, or some of each, the size of a file that grows or shrinks may be either, and a name that
 * is made, moved or removed may be there or not. Everything else that was promised has to be there.
 */

/** Bytes of a file that are promised: `from` up to `to`, all of them `byte`. */
export interface StablePart {
  from: number;
  to: number;
  byte: number;
  by: string;
}

/** What a file has to be, wherever it is found. */
export interface StableFile {
  file: number;
  parts: StablePart[];
  size?: { bytes: number; by: string } | undefined;
}

/** What may be found under a name; one of these has to be. */
export interface NameClaim {
  name: string;
  mayBeAbsent: boolean;
  files: StableFile[];
  /** Where there is no choice: what promised it. */
  by?: string | undefined;
}

/** A file on its way from one name to another. */
export interface MoveClaim {
  file: number;
  from: string;
  to: string;
}

export interface Claims {
  names: NameClaim[];
  moves: MoveClaim[];
  /** In place of both: what a sync call that was seen promised. */
  call?: CallClaim | undefined;
}

interface Name {
  /** Files that it may lead to; 0: none. The newest last. */
  allowed: Set<number>;
  by?: string | undefined;
}

const ABSENT = 0;

export class Ledger {
  readonly #files = new Map<number, Omit<StableFile, 'file'>>();
  readonly #names = new Map<string, Name>();
  #moves: MoveClaim[] = [];
  constructor(readonly guarantees: Guarantees) {}

  add(record: PromiseRecord): void {
    switch (record.kind) {
      case 'change': {
        const file = this.#file(record.file);
        file.parts = without(file.parts, record.from, record.to);
        break;
      }
      case 'size':
        this.#file(record.file).size = undefined;
        break;
      case 'create':
        this.#may(record.name, record.file);
        break;
      case 'rename':
        this.#rename(record);
        break;
      case 'unlink':
        this.#may(record.name, ABSENT);
        break;
      case 'promise':
        this.#promise(record);
        break;
    }
  }

  #rename({ from, to, file }: Extract<PromiseRecord, { kind: 'rename' }>): void {
    const { allowed } = this.#name(from);
    const certain = allowed.size === 1 && allowed.has(file);
    if (this.guarantees.atomicRename && certain) this.#moves.push({ file, from, to });
    // Whether the old name goes before the new one comes nobody promises.
    if (!this.guarantees.atomicRename) this.#may(to, ABSENT);
    this.#may(from, ABSENT);
    this.#may(to, file);
  }

  #promise(record: Extract<PromiseRecord, { kind: 'promise' }>): void {
    const { by } = record;
    if (by === 'sync' && !this.guarantees.sync) return;
    if ('names' in record) {
      for (const [name, file] of record.names) this.#certain(name, file, by);
      return;
    }
    const file = this.#file(record.file);
    for (const [from, length, byte] of record.data) {
      const to = from + length;
      file.parts = [...without(file.parts, from, to), { from, to, byte, by }];
    }
    if (record.size !== undefined) file.size = { bytes: record.size, by };
    const whole = by === 'fsync' || by === 'O_SYNC';
    const moving = this.#moves.some((move) => move.file === record.file);
    if (whole && this.guarantees.fsyncKeepsName && !moving) {
      if (this.#name(record.name).allowed.has(record.file)) {
        this.#certain(record.name, record.file, by);
      }
    }
  }

  #file(number: number): Omit<StableFile, 'file'> {
    const known = this.#files.get(number) ?? { parts: [] };
    this.#files.set(number, known);
    return known;
  }

  #name(name: string): Name {
    const known = this.#names.get(name) ?? { allowed: new Set([ABSENT]) };
    this.#names.set(name, known);
    return known;
  }

  /** It may be this from now on, and what it was. */
  #may(name: string, file: number): void {
    const known = this.#name(name);
    known.allowed.delete(file);
    known.allowed.add(file);
    known.by = undefined;
  }

  #certain(name: string, file: number, by: string): void {
    this.#names.set(name, { allowed: new Set([file]), by });
    this.#moves = this.#moves.filter(({ to }) => to !== name);
  }

  /** Whether some name may lead to the file: what is promised of it can be looked at. */
  isReachable(file: number): boolean {
    return [...this.#names.values()].some(({ allowed }) => allowed.has(file));
  }

  /** What has to hold of an image that survives a cut here. */
  claims(): Claims {
    const names = [...this.#names].map(([name, { allowed, by }]): NameClaim => {
      const files = [...allowed].filter((file) => file !== ABSENT);
      return {
        name,
        mayBeAbsent: allowed.has(ABSENT),
        files: files.map((file) => ({ file, ...this.#copy(file) })),
        ...(allowed.size === 1 ? { by } : {}),
      };
    });
    return { names, moves: [...this.#moves] };
  }

  #copy(number: number): Omit<StableFile, 'file'> {
    const { parts, size } = this.#file(number);
    return { parts: [...parts].sort((a, b) => a.from - b.from), size };
  }
}

/** Parts less a range; one that reaches into it is cut. */
function without(parts: readonly StablePart[], from: number, to: number): StablePart[] {
  return parts.flatMap((part) => {
    if (part.to <= from || part.from >= to) return [part];
    return [
      ...(part.from < from ? [{ ...part, to: from }] : []),
      ...(part.to > to ? [{ ...part, from: to }] : []),
    ];
  });
}
