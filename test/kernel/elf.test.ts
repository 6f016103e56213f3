import t from 'tap';
import { isElf, readElf } from '../../cli/kernel/elf.js';
import { makeElf, PVH_NOTE } from './fixtures.js';

t.test('reads all notes, whatever their sizes', async (t) => {
  const notes = [
    { name: 'GNU', type: 3, description: Buffer.from('0123456789abcdef01', 'hex') },
    PVH_NOTE,
    { name: 'Linux', type: 257, description: Buffer.alloc(0) },
  ];
  t.strictSame(readElf(makeElf(notes))?.notes, notes);
});

t.test('rejects a file that is truncated or not 64-bit little-endian ELF', async (t) => {
  t.equal(readElf(Buffer.from('#!/bin/sh\n'.repeat(20))), undefined);
  t.equal(readElf(Buffer.alloc(0)), undefined);
  const elf = makeElf([PVH_NOTE]);
  t.equal(readElf(elf.subarray(0, 100)), undefined);
  t.equal(readElf(elf.subarray(0, elf.length - 8)), undefined);
  const of32Bits = Buffer.from(elf);
  of32Bits[4] = 1;
  t.notOk(isElf(of32Bits));
  t.ok(isElf(elf));
});
