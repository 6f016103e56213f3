import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { linkPlainNames, useOwnLoader } from '../../cli/debian/own-loader.js';

/* Programs of an unpacked tree run with the tree's own dynamic linker and libraries. */

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/** A tree with this machine's sleep, its libraries, and a script. */
function makeTree(top: string): string {
  const root = join(top, 'tree');
  for (const path of ['usr/bin', LIBRARIES]) mkdirSync(join(root, path), { recursive: true });
  const listed = execFileSync('ldd', ['/bin/sh'], { encoding: 'utf8' });
  for (const [library = ''] of listed.matchAll(/\/\S+\.so\S*/g)) {
    const name = library.slice(library.lastIndexOf('/') + 1);
    copyFileSync(realpathSync(library), join(root, LIBRARIES, name));
  }
  copyFileSync(realpathSync('/bin/sh'), join(root, 'usr/bin/x86_64-linux-gnu-shell'));
  copyFileSync(realpathSync('/usr/bin/ldd'), join(root, 'usr/bin/script'));
  return root;
}

t.test('also after a move, by any path, with its own name', async (t) => {
  const top = t.testdir();
  const made = makeTree(top);
  await useOwnLoader(made);
  await linkPlainNames(join(made, 'usr/bin'));
  const root = join(top, 'moved');
  renameSync(made, root);
  mkdirSync(join(root, 'usr/src'));
  symlinkSync('../bin', join(root, 'usr/src/scripts'));
  const say = 'echo "$0"; cat /proc/$$/maps';
  for (const path of ['usr/bin/x86_64-linux-gnu-shell', 'usr/bin/shell', 'usr/src/scripts/shell']) {
    const [name, ...maps] = execFileSync(join(root, path), ['-c', say], { encoding: 'utf8' }).split(
      '\n',
    );
    t.equal(name, join(root, path));
    const libraries = maps.flatMap((line) => /\/\S+\.so\S*$/.exec(line)?.[0] ?? []);
    t.ok(libraries.length > 0);
    for (const library of libraries) t.match(library, join(root, LIBRARIES));
  }
});

t.test('scripts and libraries stay as they are', async (t) => {
  const root = makeTree(t.testdir());
  await useOwnLoader(root);
  t.same(readFileSync(join(root, 'usr/bin/script')), readFileSync('/usr/bin/ldd'));
  const libc = readFileSync(join(root, LIBRARIES, 'libc.so.6'));
  t.equal(libc.subarray(1, 4).toString(), 'ELF');
});
