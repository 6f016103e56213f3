import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KIND, makeEnd, makeSlot } from '../exact/seen.js';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';
import { recordingRig } from './recording-rig.js';

/** `replay --exact --who-wrote` from the command line, with a fake QEMU and what a plugin leaves. */

const { recording, daxrepro } = recordingRig(t);

const CORRUPT = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });
const CAPABLE = { FAKE_QEMU_VERSION: '10.0.2' };

function left(directory: string, instructions = 123_456): string {
  mkdirSync(directory);
  const task = { name: 'mkdir', pid: 7 };
  writeFileSync(join(directory, 'memory'), '');
  const stores = [
    {
      number: 1,
      kind: KIND.mediumStore,
      task,
      nonTemporal: true,
      value: Buffer.from('0102', 'hex'),
    },
    { number: 2, kind: KIND.onMedium, task },
  ];
  writeFileSync(join(directory, 'medium'), Buffer.concat(stores.map(makeSlot)));
  writeFileSync(join(directory, 'end'), makeEnd(instructions, 0, 2));
  return directory;
}

t.test('prints the last stores to an address, and what brought them to the medium', async (t) => {
  const recorded = await daxrepro(CORRUPT, recording, CAPABLE);
  const argv = ['replay', `${recorded.run()}#1`, '--exact', '--who-wrote', '0x30000000'];
  const seen = left(join(t.testdir(), 'seen'));
  const env = { ...CAPABLE, FAKE_QEMU_SEEN: seen };
  const text = await daxrepro([], argv, env);
  t.equal(text.exitCode, 0, text.stderr);
  t.match(text.stdout, /byte +0x30000000: a physical address/);
  t.match(text.stdout, /LAST +0xffffffff81000010 \[kernel\] stored 0102 \(non-temporal\)/);
  t.match(text.stdout, /mkdir, pid 7, instruction 100\n/);
  t.match(text.stdout, /then 0xffffffff81000010 \[kernel\]\s+brought it to the medium/);
  t.notMatch(text.stdout, /CONCLUDE/);
  const [start] = text.log().filter((line) => 'argv' in line) as unknown as { argv: string[] }[];
  t.match(start?.argv.join(' '), / -plugin file=.*who-wrote\.so,out=.*,physical=805306368/);

  const json = await daxrepro([], [...argv, '--json'], env);
  t.match(JSON.parse(json.stdout), {
    exact: true,
    whoWrote: {
      physical: '0x30000000',
      medium: { count: 1, last: [{ value: '0102', nonTemporal: true }], flushed: [{}] },
      memory: { count: 0, last: { length: 0 } },
    },
  });

  const differs = { ...env, FAKE_QEMU_REPLAYS: JSON.stringify({ console: 'more\n' }) };
  const other = await daxrepro([], [...argv, '--json'], differs);
  t.equal(other.exitCode, 1);
  t.match(JSON.parse(other.stdout), {
    exact: false,
    whoWrote: undefined,
    replays: [{ exact: false }],
  });

  const silent = await daxrepro([], argv, CAPABLE);
  t.match(silent, { exitCode: 3, stderr: /did not say how many stores it saw/ });
});

t.test('refuses what it cannot answer', async (t) => {
  const recorded = await daxrepro(CORRUPT, recording);
  const argv = ['replay', `${recorded.run()}#1`, '--exact', '--who-wrote'];
  t.match(await daxrepro([], [...argv, '0x30000000']), {
    exitCode: 2,
    stderr: /needs a record of QEMU 10\.0 or newer[\s\S]*setup --power-cut/,
  });
  t.match(await daxrepro([], [...argv, 'nothing']), { exitCode: 2, stderr: /is not a byte/ });
  t.match(await daxrepro([], [...argv, '5', '--repeat', '2']), {
    exitCode: 2,
    stderr: /--who-wrote does not go with --repeat/,
  });
  t.match(await daxrepro([], ['replay', recorded.run(), '--who-wrote', '5']), {
    exitCode: 2,
    stderr: /--who-wrote without --exact/,
  });
  const booted = await daxrepro(CORRUPT, [...recording, '--no-checkpoint'], CAPABLE);
  t.match(await daxrepro([], ['replay', booted.run(), '--exact', '--who-wrote', '5'], CAPABLE), {
    exitCode: 2,
    stderr: /it began with a boot/,
  });
});

t.test('refuses a record that does not say where the devices are', async (t) => {
  const recorded = await daxrepro(CORRUPT, recording, CAPABLE);
  const file = join(recorded.run(), '001-ext4-generic-002/record/record.json');
  const { machine, ...record } = JSON.parse(readFileSync(file, 'utf8'));
  t.match(machine.pmem, [{ start: 0x30000000, size: Number }, { size: Number }]);
  writeFileSync(file, JSON.stringify(record));
  t.match(await daxrepro([], ['replay', recorded.run(), '--exact', '--who-wrote', '5'], CAPABLE), {
    exitCode: 2,
    stderr: /does not say where the devices are/,
  });
});
