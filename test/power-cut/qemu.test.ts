import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exitCodeOf } from '../../cli/outcome.js';
import { capableQemu } from '../../cli/power-cut/qemu.js';
import { choose } from '../../cli/power-cut/qemu-package.js';
import { makeProgram, writeTree } from '../kernel/fixtures.js';

const NEW = `case $1 in --version) echo 'QEMU emulator version 10.1.3 (Debian)' ;; -plugin) ;; esac`;
const OLD = `echo 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)'`;
const WITHOUT = `case $1 in --version) echo 'QEMU emulator version 10.1.3' ;; *) exit 1 ;; esac`;

function withOwn(directory: string, script: string | undefined) {
  const bin = join(directory, 'bin');
  mkdirSync(bin, { recursive: true });
  if (script !== undefined) makeProgram(bin, 'qemu-system-x86_64', script);
  return capableQemu({ root: join(directory, 'cache') }, bin);
}

t.test("the system's own QEMU, where it can", async (t) => {
  const directory = t.testdir();
  const qemu = await withOwn(directory, NEW);
  t.match(qemu, { ok: true, value: { version: '10.1.3', arguments: { length: 0 } } });
  t.strictSame(qemu.ok && qemu.value.environment, {});
});

t.test('without a capable one: exit 2, and the command that brings it', async (t) => {
  for (const [script, message] of [
    [OLD, /QEMU 10\.0 or newer, built with plugins; \S*qemu-system-x86_64 is 7\.2\.22$/],
    [WITHOUT, /is 10\.1\.3, without plugins$/],
    ['exit 127', /is one that does not start$/],
    [undefined, /there is none$/],
  ] as const) {
    const qemu = await withOwn(t.testdir(), script);
    if (qemu.ok) return t.fail('there is none');
    t.match(qemu.failure.message, message);
    t.match(qemu.failure.remedy, '`daxrepro setup --power-cut`');
    t.equal(exitCodeOf(qemu.failure), 2);
  }
});

t.test('one that was unpacked into the cache', async (t) => {
  const directory = t.testdir();
  writeTree(directory, {
    'cache/references/power-cut-qemu.json': '{"key":"abc","version":"10.0.2"}',
    'cache/power-cut-qemu/abc/usr/bin/qemu-system-x86_64': '',
    'cache/power-cut-qemu/abc/usr/lib/x86_64-linux-gnu/liburing.so.2': '',
  });
  const qemu = await withOwn(directory, OLD);
  if (!qemu.ok) return t.fail(qemu.failure.message);
  const entry = join(directory, 'cache/power-cut-qemu/abc/usr');
  t.same(qemu.value, {
    program: `${entry}/bin/qemu-system-x86_64`,
    version: '10.0.2',
    arguments: ['-L', `${entry}/share/qemu`, '-L', `${entry}/share/seabios`],
    environment: { LD_LIBRARY_PATH: `${entry}/lib/x86_64-linux-gnu` },
  });
});

t.test('which packages are taken', async (t) => {
  const record = (name: string, depends = '') => ({
    name,
    version: '1:10.0.2+ds-2',
    depends,
    size: 1,
    sha256: name,
  });
  const all = [
    record('qemu-system-x86', 'libaio1, libc6 (>= 2.34)'),
    record('qemu-system-data'),
    record('seabios'),
  ];
  t.match(choose(all, '2.36'), { ok: true, value: { length: 3 } });
  t.match(choose(all, '2.31'), { ok: false, failure: { message: /C library 2\.34.* has 2\.31/ } });
  t.match(choose(all.slice(1), '2.36'), {
    ok: false,
    failure: { message: /packages are missing/ },
  });
});
