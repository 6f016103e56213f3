import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkQemuOption, chooseQemu } from '../../cli/emulator/choose.js';
import { findProgram } from '../../cli/system/programs.js';
import { makeContext } from '../kernel/context.js';
import { makeApt } from '../kernel/fake-apt.js';
import { makeProgram, writeTree } from '../kernel/fixtures.js';

// The QEMU of a suite whose C library is not this machine's: it brings its own, and its dynamic linker.

const skip = ['gcc', 'dpkg-deb', 'ldd'].some((name) => findProgram(name) === undefined);
const VERSION = '1:11.1.9+ds-1';
const QEMU = `#include <stdio.h>
#include <stdlib.h>
int daxone(void);
int main(int argc, char **argv) {
	printf("QEMU emulator version 11.1.%d (fake)\\n", daxone());
	printf("modules %s\\n", getenv("QEMU_MODULE_DIR"));
	for (int i = 0; i < argc; i++) printf("%s\\n", argv[i]);
	return 0;
}
`;

function setUp(t: Test) {
  const root = t.testdir({ apt: {}, trees: {} });
  const apt = makeApt(t, join(root, 'apt'));
  const place = (name: string, path: string) => join(root, 'trees', name, path);
  const libraries = 'usr/lib/x86_64-linux-gnu';
  const compile = (source: string, file: string, ...options: string[]) => {
    mkdirSync(join(file, '..'), { recursive: true });
    execFileSync('gcc', ['-o', file, '-x', 'c', '-', '-x', 'none', ...options], { input: source });
  };
  const one = place('libdaxone1', `${libraries}/libdaxone.so.1`);
  compile('int daxone(void) { return 9; }', one, '-shared', '-fPIC', '-Wl,-soname,libdaxone.so.1');
  compile(QEMU, place('qemu-system-x86', 'usr/bin/qemu-system-x86_64'), one);
  writeTree(place('qemu-system-common', libraries), { 'qemu/accel-qtest.so': '' });
  writeTree(place('qemu-system-data', 'usr/share'), { 'qemu/efi.rom': '' });
  writeTree(place('seabios', 'usr/share'), { 'seabios/bios.bin': '' });
  // As Debian has it: the linker beside the libraries, and a link to it.
  const libc = place('libc6', libraries);
  mkdirSync(libc, { recursive: true });
  const linked = execFileSync('ldd', [place('qemu-system-x86', 'usr/bin/qemu-system-x86_64')]);
  const found = (pattern: RegExp) => realpathSync(pattern.exec(linked.toString())?.[1] ?? '');
  copyFileSync(found(/(\/\S*ld-linux-x86-64\.so\.2)/), join(libc, 'ld-linux-x86-64.so.2'));
  copyFileSync(found(/libc\.so\.6 => (\S+)/), join(libc, 'libc.so.6'));
  writeTree(place('systemd', 'usr/bin'), { systemd: '' });
  const names = ['libc6', 'libdaxone1', 'qemu-system-common', 'qemu-system-data', 'seabios'];
  for (const name of [...names, 'systemd']) apt.addPackage(name, '1', place(name, '.'));
  apt.addPackage('qemu-system-x86', VERSION, place('qemu-system-x86', '.'));
  apt.wouldInstall(
    [...names, 'systemd'].map((name) => `${name}=1`).concat(`qemu-system-x86=${VERSION}`),
  );
  return { apt, ...makeContext(root) };
}

t.test('a suite’s QEMU runs with its own C library', { skip }, async (t) => {
  const { apt, context, notes } = setUp(t);
  const chosen = await chooseQemu('debian:sid', context);
  if (!chosen.ok) return t.fail(`${chosen.failure.message}; ${chosen.failure.detail}`);
  const said = execFileSync(String(chosen.value), ['-nodefaults', 'a b']).toString().split('\n');
  const directory = join(String(chosen.value), '..');
  t.strictSame(said.slice(0, 3), [
    'QEMU emulator version 11.1.9 (fake)',
    `modules ${directory}/modules`,
    'qemu-system-x86_64',
  ]);
  t.strictSame(said.slice(3), [
    ...['-L', `${directory}/share/qemu`, '-L', `${directory}/share/seabios`, '-nodefaults', 'a b'],
    '',
  ]);
  t.match(notes(), [
    /Downloading QEMU 1:11\.1\.9\+ds-1 of Debian's sid with its libraries, \d+ MB/,
  ]);
  t.notMatch(apt.calls().join('\n'), /download .*systemd/, 'what QEMU does not need is left out');

  const calls = apt.calls().length;
  t.strictSame(await chooseQemu('debian:sid', context), chosen);
  t.equal(apt.calls().length, calls, 'the second time nothing is asked');
});

t.test('a suite that is not there', { skip }, async (t) => {
  const { apt, context } = setUp(t);
  apt.goAway();
  t.match(await chooseQemu('debian:nonesuch', context), {
    failure: {
      kind: 'tool-failed',
      message: /Debian's nonesuch has no QEMU/,
      remedy: /name of the suite/,
    },
  });
});

t.test('a program of one’s own', async (t) => {
  const root = t.testdir({});
  const { context } = makeContext(root);
  makeProgram(root, 'qemu-mine', 'echo "QEMU emulator version 12.0.0"');
  makeProgram(root, 'other', 'echo hello');
  t.strictSame(await chooseQemu(join(root, 'qemu-mine'), context), {
    ok: true,
    value: join(root, 'qemu-mine'),
  });
  t.match(await chooseQemu(join(root, 'other'), context), {
    failure: { kind: 'usage', message: /does not start, or is not QEMU/, detail: 'hello' },
  });
  t.match(await chooseQemu(join(root, 'none'), context), { failure: { kind: 'usage' } });
  t.match(await chooseQemu('qemu-none-such', context), { failure: { message: /is not in PATH/ } });
  t.strictSame(await chooseQemu(undefined, context), { ok: true, value: undefined });
  writeFileSync(join(root, 'here'), '');
  t.match(checkQemuOption('./here'), { value: join(process.cwd(), 'here') });
});
