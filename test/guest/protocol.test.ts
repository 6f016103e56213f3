import t from 'tap';
import { EventReader, encodeRequest, type Received } from '../../cli/guest/protocol.js';

const read = (...pieces: (string | Uint8Array)[]): Received[] => {
  const reader = new EventReader();
  return pieces.flatMap((piece) =>
    reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece),
  );
};

const one = (value: object): Received => read(`${JSON.stringify(value)}\n`)[0] as Received;

const PROOF = {
  event: 'proof',
  when: 'before',
  device: '/dev/pmem0',
  directory: '/mnt/test',
  mounted: true,
  type: 'ext2',
  options: 'rw,dax',
  servedByExt4: false,
  servedByXfs: false,
  moduleReferences: '1\n',
  moduleReferencesUnmounted: '0',
  moduleBuildId: 'ab',
  statxAttributes: '0x200000',
  statxMask: '2097152',
  blockSize: '4096',
  pageSize: '4096',
  kernelLog: '',
};

t.test('accepts pieces cut at every byte, even within a character', (t) => {
  const bytes = Buffer.from('{"event":"log","text":"ö → 🦀"}\n{"event":"finished"}\n');
  const expected = [
    { ok: true, event: { event: 'log', text: 'ö → 🦀' } },
    { ok: true, event: { event: 'finished' } },
  ];
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const received = read(bytes.subarray(0, cut), bytes.subarray(cut));
    if (JSON.stringify(received) !== JSON.stringify(expected)) t.fail(`cut at ${cut}`);
  }
  t.strictSame(read(...Array.from(bytes, (byte) => Uint8Array.of(byte))), expected);
  t.end();
});

t.test("parses a shell's numbers", (t) => {
  t.match(one(PROOF), {
    ok: true,
    event: { moduleReferences: 1, moduleReferencesUnmounted: 0, statxAttributes: 0x200000 },
  });
  for (const nothing of ['', 'cannot stat', '-1', '1e3', '0x', '1 2', 'NaN']) {
    const received = one({ ...PROOF, moduleReferences: nothing, statxAttributes: nothing });
    t.match(received, {
      ok: true,
      event: { moduleReferences: undefined, statxAttributes: undefined },
    });
  }
  t.end();
});

t.test('drops unknown fields', (t) => {
  t.strictSame(one({ event: 'finished', verdict: 'pass', __proto__: { ok: 1 } }), {
    ok: true,
    event: { event: 'finished' },
  });
  const polluting = read('{"event":"finished","__proto__":{"polluted":1}}\n');
  t.strictSame(polluting, [{ ok: true, event: { event: 'finished' } }]);
  t.notOk('polluted' in {});
  t.end();
});

t.test('rejects names of files that are paths or invalid', (t) => {
  for (const name of [
    '../../etc/passwd',
    '/etc/passwd',
    '..',
    '.',
    '',
    'a/b',
    'a\\b',
    'a\0b',
    'a\n',
    '.hidden',
    '-rf',
    'A',
    'ü',
    'x'.repeat(62),
  ]) {
    t.match(one({ event: 'file', name, size: 1 }), { ok: false }, JSON.stringify(name));
  }
  for (const name of ['fsck-test', 'kernel-log', 'a.b', '0', 'x'.repeat(61)]) {
    t.match(one({ event: 'file', name, size: 1 }), { ok: true }, name);
  }
  t.end();
});

t.test('rejects other shapes', (t) => {
  const wrong: unknown[] = [
    null,
    [],
    [{ event: 'finished' }],
    '',
    1,
    {},
    { event: 'Finished' },
    { event: ['finished'] },
    { event: 'test', status: '0' },
    { event: 'test', status: 0.5 },
    { event: 'test', status: null },
    { event: 'test' },
    { event: 'fsck', name: 'root', device: 'x', status: 0 },
    { event: 'fsck', name: 'test', device: 'x' },
    { event: 'module', name: 'ext2', sha256: '', origin: 'elsewhere' },
    { ...PROOF, mounted: 'true' },
    { ...PROOF, servedByExt4: undefined },
    { ...PROOF, when: 'later' },
    { ...PROOF, pageSize: 4096 },
  ];
  for (const value of wrong) {
    t.match(read(`${JSON.stringify(value)}\n`), [{ ok: false }], JSON.stringify(value));
  }
  t.end();
});

t.test('separates the bytes of files from the lines after them', (t) => {
  const head = '{"event":"file","name":"fsck-test","size":23}\n';
  const body = '{"event":"finished"}\n\0\xff';
  const bytes = Buffer.from(`${head}${body}{"event":"finished"}\n`, 'latin1');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const received = read(bytes.subarray(0, cut), bytes.subarray(cut));
    const pieces = received.flatMap((one) => ('piece' in one ? [one.piece] : []));
    const events = received.flatMap((one) => ('event' in one ? [one.event.event] : []));
    const whole = Buffer.concat(pieces.map(({ data }) => data)).toString('latin1');
    if (whole !== body || events.join(' ') !== 'file finished' || !received.every(({ ok }) => ok)) {
      t.fail(`cut at ${cut}`);
    }
    if (pieces.some(({ name }) => name !== 'fsck-test')) t.fail(`another name, cut at ${cut}`);
  }
  for (const size of [0, -1, 0.5, 4 * 2 ** 20 + 1, Number.MAX_SAFE_INTEGER + 1, '1']) {
    t.match(one({ event: 'file', name: 'x', size }), { ok: false }, `${size} bytes`);
  }
  t.end();
});

t.test('quotes only a little of a bad line', (t) => {
  const [received] = read(`${'x'.repeat(100_000)}\n`);
  t.ok(received && !received.ok && received.problem.length < 300);
  t.end();
});

t.test('gives up on an endless line before it fills memory', (t) => {
  const reader = new EventReader();
  const piece = Buffer.alloc(64 * 1024, 'x');
  const received = Array.from({ length: 8 }, () => reader.push(piece)).flat();
  t.match(received, [{ ok: false, problem: /a line of over/ }]);
  t.end();
});

t.test('ignores empty lines', (t) => {
  t.strictSame(read('\n\n{"event":"finished"}\n\n'), [{ ok: true, event: { event: 'finished' } }]);
  t.end();
});

/** Like guest-scripts/lib/channel.sh: the key is what precedes the first blank. */
const keysOf = (bytes: Buffer) =>
  bytes
    .toString('latin1')
    .split('\n')
    .map((line) => line.split(' ')[0]);

t.test('a request', (t) => {
  t.equal(
    encodeRequest({
      FS: 'ext2',
      TEST: 'generic/002',
      MKFS_OPTIONS: '-b 1024 -O ^x',
      MOUNT_OPTIONS: '',
      MODULE_NEEDS: undefined,
      TIMEOUT: 60,
    }).toString(),
    'FS ext2\nTEST generic/002\nMKFS_OPTIONS -b 1024 -O ^x\nTIMEOUT 60\nEND\n',
  );
  const module = Buffer.from('\x7fELF\nEND\n\0');
  const bytes = encodeRequest({ FS: 'ext2', TEST: 'x', TIMEOUT: 1 }, module);
  t.ok(bytes.toString('latin1').endsWith(`MODULE_BYTES ${module.length}\nEND\n\x7fELF\nEND\n\0`));
  t.end();
});

t.test('never splits a value into lines', (t) => {
  for (const end of ['\n', '\r\n', '\r', '\n\n']) {
    const nasty = `dax${end}END${end}MODULE_BYTES 4`;
    const bytes = encodeRequest({ FS: 'ext2', TEST: nasty, MOUNT_OPTIONS: nasty, TIMEOUT: 1 });
    t.strictSame(keysOf(bytes), ['FS', 'TEST', 'MOUNT_OPTIONS', 'TIMEOUT', 'END', '']);
    t.notMatch(bytes.toString(), /\r/);
  }
  t.end();
});
