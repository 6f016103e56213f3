import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import {
  type DeviceContents,
  type Extent,
  encodeContents,
  extentsOfFile,
} from '../../cli/guest/contents.js';
import { BOOTS, fakeGuest, readLog } from '../util/fake-qemu.js';

const MIB = 2 ** 20;
const scripts = fileURLToPath(new URL('../../guest-scripts', import.meta.url));

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Runs the guest's own script, with a file for the device. */
async function take(t: Test, device: string, contents: DeviceContents, state: string) {
  const sent = join(t.testdirName, 'sent');
  writeFileSync(sent, Buffer.concat(await collect(encodeContents(contents))));
  const channel = openSync(sent, 'r+');
  const { stdout } = spawnSync('perl', [join(scripts, 'lib/reporter.pl'), '3'], {
    input: `${['1.1', 'contents', device, state].join('\t')}\n`,
    stdio: ['pipe', 'pipe', 'pipe', channel],
    env: { ...process.env, DAXREPRO: scripts },
    encoding: 'utf8',
  });
  closeSync(channel);
  return stdout;
}

/** A device of this many MiB with these bytes in it. */
function makeDevice(t: Test, name: string, size: number, ...extents: Extent[]): string {
  const file = join(t.testdirName, name);
  writeFileSync(file, '');
  truncateSync(file, size);
  const whole = readFileSync(file);
  for (const { offset, data } of extents) whole.set(data, offset);
  writeFileSync(file, whole);
  return file;
}

const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value);

t.test('finds the pages of a file that are not zero', async (t) => {
  t.testdir();
  const page = 4096;
  const file = makeDevice(
    t,
    'image',
    3 * MIB + 100,
    { offset: 5 * page + 17, data: bytes(1) },
    { offset: 6 * page, data: bytes(page) },
    { offset: MIB - 1, data: bytes(2) },
    { offset: 3 * MIB + 99, data: bytes(1) },
  );
  const descriptor = openSync(file, 'r');
  const found = await collect(extentsOfFile(descriptor));
  closeSync(descriptor);
  t.strictSame(
    found.map(({ offset, data }) => [offset, data.length]),
    [
      [5 * page, 2 * page],
      [MIB - page, page],
      [MIB, page],
      [3 * MIB, 100],
    ],
  );
});

t.test('turns a device into a copy of an image', async (t) => {
  t.testdir();
  const image = makeDevice(
    t,
    'image',
    4 * MIB,
    { offset: 0, data: bytes(1) },
    { offset: MIB - 5, data: bytes(MIB + 10) },
    { offset: 4 * MIB - 1, data: bytes(1) },
  );
  const old = [
    { offset: 70_000, data: bytes(5, 1) },
    { offset: MIB, data: bytes(3 * MIB, 2) },
  ];
  for (const [state, before] of [
    ['empty', []],
    ['used', old],
  ] as const) {
    const device = makeDevice(t, `device-${state}`, 4 * MIB, ...before);
    const descriptor = openSync(image, 'r');
    t.equal(await take(t, device, extentsOfFile(descriptor), state), '1.1 ok\n');
    closeSync(descriptor);
    t.ok(readFileSync(device).equals(readFileSync(image)), state);
  }
});

t.test('clears a device if there are no contents', async (t) => {
  t.testdir();
  const device = makeDevice(t, 'device', 2 * MIB, { offset: 0, data: bytes(2 * MIB) });
  t.equal(await take(t, device, [], 'used'), '1.1 ok\n');
  t.ok(readFileSync(device).equals(Buffer.alloc(2 * MIB)));
});

t.test('refuses contents that exceed the device or end too early', async (t) => {
  t.testdir();
  const device = makeDevice(t, 'device', MIB);
  const beyond = [{ offset: MIB - 1, data: bytes(2) }];
  t.match(await take(t, device, beyond, 'empty'), /^1\.1 failed: contents at .*beyond the end/);
  t.equal(readFileSync(device).length, MIB);

  const cut = Buffer.alloc(20, 1);
  cut.writeBigUInt64LE(0n, 0);
  cut.writeBigUInt64LE(100n, 8);
  writeFileSync(join(t.testdirName, 'cut'), cut);
  const channel = openSync(join(t.testdirName, 'cut'), 'r+');
  const { stdout } = spawnSync('perl', [join(scripts, 'lib/reporter.pl'), '3'], {
    input: `${['1.1', 'contents', device, 'empty'].join('\t')}\n`,
    stdio: ['pipe', 'pipe', 'pipe', channel],
    env: { ...process.env, DAXREPRO: scripts },
    encoding: 'utf8',
  });
  closeSync(channel);
  t.match(stdout, /^1\.1 failed: the host is gone/);
});

t.test('sends them to a guest after its module, and more while it runs', async (t) => {
  const log = join(t.testdir(), 'log');
  process.env['FAKE_QEMU_LOG'] = log;
  const { guest } = fakeGuest([...BOOTS, { contents: true }, { event: { event: 'finished' } }]);
  delete process.env['FAKE_QEMU_LOG'];
  const text = (words: string) => new TextEncoder().encode(words);
  const first = [
    { offset: 4096, data: text('first') },
    { offset: 0, data: text('') },
    { offset: 2 ** 40, data: text('far away') },
  ];
  await guest.ready;
  const ending = guest.run(
    { FS: 'ext2', TEST: 'none', TIMEOUT: 5, CONTENTS: 'test scratch' },
    60,
    text('a module'),
    [first, []],
  );
  await guest.sendContents([{ offset: 8, data: text('later') }]);
  t.same(await ending, { kind: 'finished' });
  t.match(
    readLog(log).filter(({ contents }) => contents !== undefined),
    [
      {
        contents: 'test',
        extents: [
          { offset: 4096, text: 'first' },
          { offset: 2 ** 40, text: 'far away' },
        ],
      },
      { contents: 'scratch', extents: { length: 0 } },
      { contents: 'later', extents: [{ offset: 8, text: 'later' }] },
    ],
  );
});

t.test('does not wait for a guest that stops reading', async (t) => {
  const { guest } = fakeGuest([...BOOTS, { sleep: 200 }, { event: { event: 'finished' } }]);
  await guest.ready;
  async function* endless() {
    for (;;) yield { offset: 0, data: bytes(MIB) };
  }
  t.same(await guest.run({ FS: 'ext2', TEST: 'none', TIMEOUT: 5 }, 60, undefined, [endless()]), {
    kind: 'finished',
  });
});

t.test('ends the guest if an image cannot be read', async (t) => {
  const { guest } = fakeGuest(BOOTS);
  await guest.ready;
  const ending = await guest.run({ FS: 'ext2', TEST: 'none', TIMEOUT: 5 }, 60, undefined, [
    extentsOfFile(4711),
  ]);
  t.match(ending, { kind: 'storage', message: /contents could not be read: .*EBADF/ });
});
