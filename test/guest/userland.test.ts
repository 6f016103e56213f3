import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { librariesOf } from '../../cli/guest/libraries.js';
import { versionIn } from '../../cli/guest/tool-versions.js';
import {
  contentOf,
  findProgramIn,
  HOST_USERLAND,
  librariesIdentity,
  pathInGuest,
  realpathIn,
  type Userland,
} from '../../cli/guest/userland.js';
import { makeProgram, writeTree } from '../kernel/fixtures.js';

/* Programs and libraries of another system's directory, whatever its links say about this machine. */

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/** A system with this machine's bash and its libraries, and with links as Debian has them. */
function makeSystem(t: Test): Userland {
  const root = join(t.testdir(), 'system');
  for (const path of [
    'usr/bin',
    'usr/sbin',
    'usr/lib64',
    `${LIBRARIES}/private`,
    'etc/alternatives',
  ]) {
    mkdirSync(join(root, path), { recursive: true });
  }
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
  const listed = execFileSync('ldd', ['/bin/bash'], { encoding: 'utf8' });
  for (const [library = ''] of listed.matchAll(/\/\S+\.so\S*/g)) {
    const name = library.slice(library.lastIndexOf('/') + 1);
    copyFileSync(realpathSync(library), join(root, LIBRARIES, name));
  }
  symlinkSync(`/${LIBRARIES}/ld-linux-x86-64.so.2`, join(root, 'usr/lib64/ld-linux-x86-64.so.2'));
  copyFileSync(realpathSync('/bin/bash'), join(root, 'usr/bin/bash'));
  symlinkSync('/etc/alternatives/shell', join(root, 'usr/bin/shell'));
  symlinkSync('/bin/bash', join(root, 'etc/alternatives/shell'));
  return { name: '/system', root };
}

t.test('links are followed within the system', (t) => {
  const { root } = makeSystem(t);
  const bash = join(root, 'usr/bin/bash');
  t.equal(realpathIn(root, '/usr/bin/shell'), bash);
  t.equal(realpathIn(root, '/bin/../sbin/../bin/bash'), bash);
  symlinkSync('../../../../../../etc/passwd', join(root, 'usr/bin/up'));
  t.equal(realpathIn(root, '/usr/bin/up'), join(root, 'etc/passwd'));
  symlinkSync('round', join(root, 'usr/bin/round'));
  t.equal(realpathIn(root, '/usr/bin/round'), join(root, 'usr/bin/round'));
  t.end();
});

t.test('programs are those of the system, never of this machine', (t) => {
  const userland = makeSystem(t);
  const { root } = userland;
  t.equal(findProgramIn(userland, 'shell'), join(root, 'usr/bin/shell'));
  t.equal(findProgramIn(userland, '/bin/bash'), join(root, 'bin/bash'));
  t.equal(findProgramIn(userland, 'sh'), undefined);
  // A link to a program that only this machine has.
  symlinkSync('/bin/sh', join(root, 'usr/bin/other'));
  t.equal(findProgramIn(userland, 'other'), undefined);
  t.equal(contentOf(userland, join(root, 'usr/bin/shell')), join(root, 'usr/bin/bash'));
  t.ok(findProgramIn(HOST_USERLAND, 'sh'));
  t.end();
});

t.test('libraries are those of the system', async (t) => {
  const userland = makeSystem(t);
  const { root } = userland;
  makeProgram(join(root, 'usr/bin'), 'script', 'true');
  const programs = ['bash', 'shell', 'script'].map((name) => join(root, 'usr/bin', name));
  const found = await librariesOf(programs, userland);
  if (!found.ok) throw new Error(found.failure.message);
  t.ok(found.value.length >= 2);
  for (const library of found.value) t.match(library, `${root}/`);
  const guest = found.value.map((library) => pathInGuest(userland, library));
  t.ok(guest.includes('usr/lib64/ld-linux-x86-64.so.2'));
  t.ok(guest.includes(`${LIBRARIES}/libc.so.6`));
  const before = librariesIdentity(userland);
  const [terminal = ''] = found.value.filter((path) => path.includes('libtinfo'));
  // This machine has it, but that does not help the guest.
  rmSync(terminal);
  t.match(await librariesOf(programs, userland), {
    ok: false,
    failure: { message: /lack libraries: libtinfo/ },
  });
  t.not(librariesIdentity(userland), before);
  copyFileSync(
    realpathSync('/lib/x86_64-linux-gnu/libtinfo.so.6'),
    join(root, LIBRARIES, 'private/libtinfo.so.6'),
  );
  t.ok((await librariesOf(programs, userland)).ok, 'a folder of private libraries');
});

t.test('a version is that of the system’s program', async (t) => {
  const userland = makeSystem(t);
  writeTree(userland.root, { 'usr/sbin/e2fsck': '' });
  t.equal(await versionIn(userland, 'mkfs.xfs'), undefined);
  t.equal(await versionIn(userland, 'e2fsck'), undefined);
  t.match(await versionIn(HOST_USERLAND, 'e2fsck'), /^\d+\.\d+/);
});
