import t from 'tap';
import { unwind } from '../../cli/exact/unwind.js';
import type { Orc } from '../../cli/kernel/orc.js';
import { Orc as Table } from '../../cli/kernel/orc.js';

/** Stacks as the kernel's unwinder reads them. */

const CODE = 0xffffffff81000000n;
const STACK = 0xffffc90000100000n;
const SP = 5;
const BP = 4;
const PREVIOUS = 1;

type Row = [
  offset: number,
  sp: [base: number, by: number],
  bp: [base: number, by: number],
  bits: number,
];

/** @param rows one for each function, with the type's bits of the kernel's time */
function table(rows: Row[], header: boolean): Orc {
  const at = CODE + 0x100000n;
  const offsets = Buffer.alloc(rows.length * 4);
  const entries = Buffer.alloc(rows.length * 6);
  rows.forEach(([offset, sp, bp, bits], index) => {
    const address = CODE + BigInt(offset);
    offsets.writeInt32LE(Number(address - (at + BigInt(4 * index))), 4 * index);
    entries.writeInt16LE(sp[1], 6 * index);
    entries.writeInt16LE(bp[1], 6 * index + 2);
    entries.writeUInt16LE(sp[0] | (bp[0] << 4) | (bits << 8), 6 * index + 4);
  });
  return new Table({ offsets, entries, at }, header);
}

function stack(values: Record<number, bigint>): { at: bigint; bytes: Buffer } {
  const bytes = Buffer.alloc(512);
  for (const [offset, value] of Object.entries(values))
    bytes.writeBigUInt64LE(value, Number(offset));
  return { at: STACK, bytes };
}

const REGISTERS = { sp: STACK, bp: 0n, r10: 0n, r13: 0n, di: 0n, dx: 0n };
const code = (offset: number) => CODE + BigInt(offset);

for (const [name, header, CALL, REGS] of [
  ['before 6.4', false, 0, 1],
  ['since 6.4', true, 2, 3],
] as const) {
  t.test(`unwinds to the program that made the call, ${name}`, async (t) => {
    const orc = table(
      [
        [0x000, [SP, 16], [0, 0], CALL],
        [0x100, [BP, 16], [PREVIOUS, -16], CALL],
        [0x200, [SP, 0], [0, 0], REGS],
      ],
      header,
    );
    // The second function has a frame at 0x40: its caller's bp, and where to return.
    const one = stack({
      8: code(0x150),
      64: 0x77n,
      72: code(0x201),
      [0x50 + 0x80]: 0x400000n,
      [0x50 + 0x88]: 0x33n,
    });
    t.strictSame(unwind(code(0x10), { ...REGISTERS, bp: STACK + 0x40n }, one, { orc: () => orc }), {
      frames: [code(0x10), code(0x150), code(0x201)],
      end: 'user',
    });
  });

  t.test(`goes on in what was interrupted, ${name}`, async (t) => {
    const orc = table(
      [
        [0x000, [SP, 0], [0, 0], REGS],
        [0x100, [SP, 8], [0, 0], CALL],
      ],
      header,
    );
    const regs = { 128: code(0x120), 136: 0x10n, 152: STACK + 0x100n };
    const found = unwind(code(0x10), REGISTERS, stack({ ...regs, 256: code(0x130) }), {
      orc: (address) => (address < code(0x12f) ? orc : undefined),
    });
    t.strictSame(found, { frames: [code(0x10), code(0x120), code(0x130)], end: 'unknown' });
  });
}

t.test('stops where the stack was not copied, or leads nowhere', async (t) => {
  const orc = table([[0, [SP, 1024], [0, 0], 0]], false);
  t.strictSame(unwind(code(1), REGISTERS, stack({}), { orc: () => orc }), {
    frames: [code(1)],
    end: 'unknown',
  });
  const zero = table([[0, [SP, 16], [0, 0], 0]], false);
  t.strictSame(unwind(code(1), REGISTERS, stack({}), { orc: () => zero }).frames, [code(1)]);
  const loop = table([[0, [SP, 8], [0, 0], 0]], false);
  const endless = { at: STACK, bytes: Buffer.alloc(8192) };
  for (let at = 0; at < 8192; at += 8) endless.bytes.writeBigUInt64LE(code(2), at);
  t.equal(unwind(code(1), REGISTERS, endless, { orc: () => loop }).frames.length, 64);
});
