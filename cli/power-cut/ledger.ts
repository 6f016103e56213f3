import type { CallClaim } from './calls.js';
import type { Guarantees } from './guarantees.js';
import type { PromiseRecord } from './records.js';

/**
 * Tracks which promises hold at a moment: everything that was promised and has not changed since. Pure.
 *
 * A change is announced before it is made. From then until the next promise, the bytes of its range may be
 * old, new, or a mixture. A file that grows or shrinks may have either size. A name that is created, moved or
 * removed may exist or not. Everything else that was promised has to be there.
 */

/** Promised bytes of a file: all bytes from `from` up to `to` are `byte`. */
export interface StablePart {
  from: number;
  to: number;
  byte: number;
  by: string;
}

/** What a file has to contain, under whatever name it is found. */
export interface StableFile {
  file: number;
  parts: StablePart[];
  size?: { bytes: number; by: string } | undefined;
}

/** The files that a name may lead to; it has to be one of these. */
export interface NameClaim {
  name: string;
  mayBeAbsent: boolean;
  files: StableFile[];
  /** The call that promised it, if only one outcome is allowed. */
  by?: string | undefined;
}

/** A file during its rename. */
export interface MoveClaim {
  file: number;
  from: string;
  to: string;
}

export interface Claims {
  names: NameClaim[];
  moves: MoveClaim[];
  /** Instead of both: the promise of an observed sync call. */
  call?: CallClaim | undefined;
}

interface Name {
  /** The files that the name may lead to, the newest last. 0: the name does not exist. */
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
    // Nothing promises that the old name disappears before the new one appears.
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

  /** From now on the name may lead to this file, or to what it led to before. */
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

  /** Whether some name may lead to the file, so that its promises can be examined. */
  isReachable(file: number): boolean {
    return [...this.#names.values()].some(({ allowed }) => allowed.has(file));
  }

  /** What must hold of an image that survives a cut now. */
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

/** Removes a range from parts; a part that overlaps it is shortened or split. */
function without(parts: readonly StablePart[], from: number, to: number): StablePart[] {
  return parts.flatMap((part) => {
    if (part.to <= from || part.from >= to) return [part];
    return [
      ...(part.from < from ? [{ ...part, to: from }] : []),
      ...(part.to > to ? [{ ...part, from: to }] : []),
    ];
  });
}
