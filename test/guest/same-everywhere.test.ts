import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { guestImage, pack } from '../../cli/guest/image.js';
import { readManifest } from '../../cli/guest/manifest.js';
import type { MtreeEntry } from '../../cli/guest/mtree.js';
import { sha256Of } from '../../cli/sha256.js';
import { findProgram } from '../../cli/system/programs.js';
import { makeContext } from '../kernel/context.js';
import { makeProgram, writeTree } from '../kernel/fixtures.js';

/* An image depends on nothing but its content: a guest of a Debian suite is the same on every machine. */

/** A system in a directory of its own, with the programs that an image needs. */
function makeSystem(root: string): void {
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  for (const path of [libraries, join(root, 'usr/sbin'), join(root, 'usr/lib64')]) {
    mkdirSync(path, { recursive: true });
  }
  for (const name of readManifest().programs.required) {
    if (name !== 'bash') makeProgram(join(root, 'usr/bin'), name, `echo ${name}`);
  }
  copyFileSync(realpathSync('/bin/bash'), join(root, 'usr/bin/bash'));
  const listed = execFileSync('ldd', ['/bin/bash'], { encoding: 'utf8' });
  for (const [library = ''] of listed.matchAll(/\/\S+\.so\S*/g)) {
    copyFileSync(realpathSync(library), join(libraries, library.replace(/.*\//, '')));
  }
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
  symlinkSync(
    '../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
  );
  writeTree(root, { 'etc/mke2fs.conf': 'x', 'usr/share/xfsprogs/mkfs/lts.conf': 'y' });
}

const skip = findProgram('ldd') === undefined && 'no ldd';

t.test('two machines make the same image', { skip }, async (t) => {
  const before = process.umask();
  t.teardown(() => process.umask(before));
  const top = t.testdir();
  const images: Buffer[] = [];
  const keys = new Set<string>();
  for (const [machine, umask] of [
    ['one', 0o022],
    ['two/deeper', 0o077],
  ] as const) {
    process.umask(umask);
    const root = join(top, machine, 'system');
    makeSystem(root);
    if (umask === 0o077) {
      linkSync(join(root, 'usr/bin/bash'), join(root, 'usr/bin/linked'));
      chmodSync(join(root, 'usr/bin/cat'), 0o700);
      utimesSync(join(root, 'etc/mke2fs.conf'), 1, 1);
    }
    const userland = { name: 'debian:sid', root, key: '0123' };
    const { context } = makeContext(join(top, machine));
    const image = await guestImage(undefined, { ...context, userland });
    if (!image.ok) throw new Error(image.failure.message);
    images.push(readFileSync(image.value.file));
    keys.add(image.value.key);
  }
  const [one, two] = images.map((image) => sha256Of(image));
  t.equal(one, two);
  t.equal(keys.size, 1);
});

t.test('links and inode numbers of this machine are not in an archive', async (t) => {
  const top = t.testdir({ a: { f: 'one' }, b: { f: 'two' }, out: {} });
  linkSync(join(top, 'a/f'), join(top, 'a/g'));
  const entries: MtreeEntry[] = [
    { type: 'dir', path: 'usr' },
    { type: 'file', path: 'usr/f', content: join(top, 'a/f'), mode: 0o755 },
    { type: 'file', path: 'usr/g', content: join(top, 'a/g'), mode: 0o644 },
    { type: 'link', path: 'usr/link', target: '/usr/f' },
    { type: 'char', path: 'console', major: 5, minor: 1 },
  ];
  const archive = join(top, 'x.cpio');
  t.same(await pack(entries, archive, top, undefined), { ok: true, value: undefined });
  t.equal(readFileSync(archive).length % 512, 0);
  const listed = execFileSync('bsdtar', ['-tvf', archive], { encoding: 'utf8' }).split('\n');
  t.match(listed, [
    /^drwxr-xr-x +1 0 +0 +0 .* 1970 usr$/,
    /^-rwxr-xr-x +1 0 +0 +3 .* usr\/f$/,
    /^-rw-r--r-- +1 0 +0 +3 .* usr\/g$/,
    /^lrwxrwxrwx +1 0 +0 .* usr\/link -> \/usr\/f$/,
    /^crw------- +1 0 +0 +5,1 .* console$/,
  ]);
  const content = execFileSync('bsdtar', ['-xOf', archive, 'usr/f', 'usr/g'], { encoding: 'utf8' });
  t.equal(content, 'oneone');
  const missing: MtreeEntry = { type: 'file', path: 'x', content: join(top, 'none'), mode: 0o644 };
  t.match(await pack([missing], archive, top, undefined), {
    ok: false,
    failure: { kind: 'unreadable', place: { file: join(top, 'none') } },
  });
});
