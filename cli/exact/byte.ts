import { failure, type Outcome, success } from '../outcome.js';

/** A byte of the guest's memory or of its file system, as `--who-wrote` names it. */
export type Byte =
  /** Of the kernel's memory from 2^63 on; below, a physical address. */
  | { kind: 'address'; address: bigint }
  /** A block of TEST_DEV, and a byte in it. */
  | { kind: 'block'; block: number; byte: number }
  /** A file below TEST_DEV's root, or `<INODE>`, and a byte in it. */
  | { kind: 'file'; file: string; offset: number };

const FORMS =
  'Give an address such as 0x30000000, a block of TEST_DEV such as 1234 or 1234:56, or a file on it and an offset such as links:0 or "<12>:0" for inode 12';

/** What debugfs(8) and xfs_db(8) would read as more than a name. */
const UNSAFE = /["\\\p{Cc}]/u;

/** @param text of `--who-wrote` */
export function parseByte(text: string): Outcome<Byte> {
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) {
    const address = BigInt(text);
    if (address < 1n << 52n || address >> 47n === 0x1ffffn) {
      return success({ kind: 'address', address });
    }
    return wrong(text, 'is neither a physical address nor one of the kernel');
  }
  const [, block, byte = '0'] = /^(\d{1,12})(?::(\d{1,6}))?$/.exec(text) ?? [];
  if (block !== undefined) {
    return success({ kind: 'block', block: Number(block), byte: Number(byte) });
  }
  const [, file, offset] = /^(.+):(\d{1,15})$/s.exec(text) ?? [];
  if (file === undefined || UNSAFE.test(file)) return wrong(text, 'is not a byte');
  return success({ kind: 'file', file, offset: Number(offset) });
}

function wrong(text: string, why: string): Outcome<never> {
  return failure('usage', `--who-wrote ${JSON.stringify(text)} ${why}`, FORMS);
}
