import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findInstructionCount, resetInstructionCount } from '../../cli/guest/instruction-count.js';
import { qemuArgv } from '../../cli/guest/machine.js';
import { replayingArgv } from '../../cli/guest/recorded-machine.js';
import { SHAPE } from './fake-boot.js';

const FILES = { qemu: 'qemu', kernel: '/k', initramfs: '/i', devices: [] };

t.test('a recorded machine counts instructions, and has ports that QEMU records', async (t) => {
  const shape = { ...SHAPE, recorded: true as const };
  const booting = qemuArgv(shape, FILES);
  t.match(booting.join(' '), / -icount shift=3 /, 'for a checkpoint: counted');
  t.notOk(booting.includes('-no-shutdown'));
  const recording = qemuArgv(shape, { ...FILES, execution: '/r/a,b/execution' });
  const text = recording.join(' ');
  t.match(text, / -icount shift=3,rr=record,rrfile=\/r\/a,,b\/execution -no-shutdown /);
  const serial = recording.flatMap((word, at) => (word === '-serial' ? [recording[at + 1]] : []));
  t.strictSame(
    serial,
    ['chardev:console', 'null', 'null', 'null', 'unix:fd=4', 'unix:fd=5'],
    'the fifth and sixth are none of the machine',
  );
  t.match(text, /virtserialport,chardev=serial4,name=daxrepro\.channel/);
  t.match(text, /virtserialport,chardev=serial5,name=daxrepro\.heartbeat/);
  t.notMatch(qemuArgv(SHAPE, FILES).join(' '), /icount|unix:fd/, 'others are as before');
});

t.test('a replay has the same command line, apart from the record', async (t) => {
  const argv = qemuArgv({ ...SHAPE, recorded: true }, { ...FILES, execution: '/a/execution' });
  const replaying = replayingArgv(argv, '/a/execution', '/b/execution');
  t.strictSame(
    replaying?.filter((word, at) => word !== argv[at]),
    ['shift=3,rr=replay,rrfile=/b/execution'],
  );
  t.equal(replayingArgv(argv, '/c/execution', '/b/execution'), undefined);
});

/** A part of a saved state: the time apart from instructions, and their number. */
function section(time: bigint, count: bigint): Buffer {
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64BE(time, 0);
  numbers.writeBigInt64BE(count, 8);
  return Buffer.concat([Buffer.from('\x05\x0ctimer/icount\0\0\0\x01', 'latin1'), numbers]);
}

t.test('a saved machine begins with no instructions, at the same time', async (t) => {
  const file = join(t.testdir(), 'state');
  const around = [Buffer.from('QEVM before'), Buffer.from('after')] as const;
  writeFileSync(file, Buffer.concat([around[0], section(500n, 3_000_000_000n), around[1]]));
  t.ok(await resetInstructionCount(file, 3_000_000_000));
  const time = 500n + 8n * 3_000_000_000n;
  t.same(readFileSync(file), Buffer.concat([around[0], section(time, 0n), around[1]]));

  t.notOk(await resetInstructionCount(file, 3_000_000_000), 'another count');
  const twice = Buffer.concat([section(0n, 7n), section(0n, 7n)]);
  t.equal(findInstructionCount(twice, 7n), undefined, 'two of them');
  t.equal(findInstructionCount(twice.subarray(0, 20), 7n), undefined, 'cut off');
});
