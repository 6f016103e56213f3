import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fetchQemu } from '../../cli/power-cut/qemu-package.js';
import { findProgram } from '../../cli/system/programs.js';
import { makeContext } from '../kernel/context.js';
import { type FakeApt, makeApt } from '../kernel/fake-apt.js';
import { writeTree } from '../kernel/fixtures.js';

// The QEMU of a package that is linked to libraries which this system lacks, one of them to another.

const skip = ['gcc', 'dpkg-deb', 'ldd'].some((name) => findProgram(name) === undefined);

const VERSION = '1:10.0.9+ds-1';
const QEMU = `#include <stdio.h>
int daxone(void);
int main(void) { return daxone() == 3 ? puts("QEMU emulator version 10.0.9 (fake)") < 0 : 1; }
`;

/** Compiles to a file of a package's tree; libraries are found where they were made. */
function compile(source: string, file: string, ...options: string[]): void {
  mkdirSync(join(file, '..'), { recursive: true });
  execFileSync('gcc', ['-o', file, '-x', 'c', '-', '-x', 'none', ...options], { input: source });
}

function setUp(t: Test, { without = '' } = {}) {
  const root = t.testdir({ apt: {}, trees: {} });
  const apt = makeApt(t, join(root, 'apt'));
  const place = (name: string, path: string) => join(root, 'trees', name, path);
  const shared = (name: string) => ['-shared', '-fPIC', `-Wl,-soname,${name}`];
  // Debian 12 has libraries in both places.
  const two = place('libdaxtwo1', 'lib/x86_64-linux-gnu/libdaxtwo.so.1');
  const one = place('libdaxone1', 'usr/lib/x86_64-linux-gnu/libdaxone.so.1');
  compile('int daxtwo(void) { return 2; }', two, ...shared('libdaxtwo.so.1'));
  const needy = 'int daxtwo(void); int daxone(void) { return 1 + daxtwo(); }';
  compile(needy, one, ...shared('libdaxone.so.1'), two);
  const program = place('qemu-system-x86', 'usr/bin/qemu-system-x86_64');
  compile(QEMU, program, one, `-Wl,-rpath-link,${join(two, '..')}`);
  writeTree(place('qemu-system-data', 'usr/share'), { 'qemu/efi.rom': '' });
  writeTree(place('seabios', 'usr/share'), { 'seabios/bios.bin': '' });
  const add = (name: string, depends?: string, version = '1') => {
    if (name !== without) apt.addPackage(name, version, place(name, '.'), depends);
  };
  add('libdaxtwo1', 'libc6 (>= 2.2)');
  add('libdaxone1', 'libdaxtwo1 (>= 1), libc6 (>= 2.2), libgcc-s1');
  add('seabios');
  add('qemu-system-data');
  add('qemu-system-x86', 'libdaxone1 (>= 1), libc6 (>= 2.17), seabios, adduser', VERSION);
  return { apt, ...makeContext(root) };
}

const downloads = (apt: FakeApt) => apt.calls().filter((line) => line.includes(' download '));

t.test('libraries come along, and those that they need', { skip }, async (t) => {
  const { apt, context, notes } = setUp(t);
  const fetched = await fetchQemu(context);
  if (!fetched.ok) return t.fail(`${fetched.failure.message}; ${fetched.failure.detail}`);
  const { program, version, environment } = fetched.value;
  t.equal(version, '10.0.9');
  t.same(downloads(apt), [
    `apt-get download qemu-system-x86=${VERSION} qemu-system-data=1 seabios=1`,
    'apt-get download libdaxone1=1',
    'apt-get download libdaxtwo1=1',
  ]);
  t.match(notes().slice(1), [/lacks \(libdaxone\.so\.1\)/, /lacks \(libdaxtwo\.so\.1\)/]);
  const libraries = environment['LD_LIBRARY_PATH'] ?? '';
  t.same(readdirSync(libraries).sort(), ['libdaxone.so.1', 'libdaxtwo.so.1']);
  // It runs with these, and not without them.
  const said = execFileSync(program, { env: { ...process.env, ...environment } });
  t.match(said.toString(), '10.0.9 (fake)');
  t.throws(() => execFileSync(program, { stdio: 'ignore' }));
  t.same(readdirSync(join(program, '../../..')), ['usr'], 'nothing is left of the packages');

  const calls = apt.calls().length;
  t.same(await fetchQemu(context), fetched, 'the second time asks nobody');
  t.equal(apt.calls().length, calls);
});

t.test('a library that no package has', { skip }, async (t) => {
  const { context } = setUp(t, { without: 'libdaxtwo1' });
  const fetched = await fetchQemu(context);
  t.match(fetched, {
    ok: false,
    failure: { message: /this system lacks libdaxtwo\.so\.1$/, remedy: /first in PATH/ },
  });
  t.throws(() => readdirSync(join(context.store.root, 'power-cut-qemu', 'usr')));
});
