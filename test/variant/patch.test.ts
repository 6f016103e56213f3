import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { pathsOutside } from '../../cli/variant/reach.js';
import { failureOf, INODE, makeKernel, patchOf, read } from './rig.js';

const PATCH = patchOf('fs/ext2/inode.c', 10, 'patched;');

t.test('applies a patch to a copy of the directories that it touches', async (t) => {
  const { root, apply, file, stages } = makeKernel(t);
  const patch = file('fix.patch', `Some words first.\n\n${PATCH}`);
  const source = await apply([patch]);
  t.equal(read(source, 'fs/ext2/inode.c'), INODE.replace('line 10;', 'patched;'));
  t.equal(read(source, 'fs/ext2/super.c'), INODE);
  if (!source.ok) return;
  t.notOk(existsSync(join(source.value, 'fs/ext4')), 'untouched directories are absent');
  t.strictSame(readdirSync(source.value), ['fs'], 'no temporary files are left');
  t.equal(read({ ok: true, value: join(root, 'source') }, 'fs/ext2/inode.c'), INODE);
  t.same(await apply([patch]), source);
  t.equal(stages().length, 1, 'once');
});

t.test('applies plain diffs, CRLF, new files and several files in order', async (t) => {
  const { apply, file } = makeKernel(t);
  const plain = PATCH.replace(/^diff .*\n/, '');
  const crlf = file('crlf.patch', plain.replaceAll('\n', '\r\n'));
  t.equal(read(await apply([crlf]), 'fs/ext2/inode.c'), INODE.replace('line 10;', 'patched;'));
  const second = file(
    'second.patch',
    `${patchOf('fs/ext2/inode.c', 10, 'again;', 'patched;')}\
--- /dev/null
+++ b/fs/ext2/new.c
@@ -0,0 +1 @@
+int new;
`,
  );
  const both = await apply([crlf, second]);
  t.equal(read(both, 'fs/ext2/inode.c'), INODE.replace('line 10;', 'again;'));
  t.equal(read(both, 'fs/ext2/new.c'), 'int new;\n');
  const first = await apply([crlf, second], 1);
  t.equal(read(first, 'fs/ext2/inode.c'), INODE.replace('line 10;', 'patched;'), 'a prefix');
  t.notOk((await apply([second])).ok);
});

t.test('needs no full build for documentation', async (t) => {
  const { apply, file } = makeKernel(t);
  const docs = patchOf('Documentation/filesystems/dax.txt', 10, 'told;');
  const source = await apply([file('fix.patch', docs + PATCH)]);
  t.equal(read(source, 'fs/ext2/inode.c'), INODE.replace('line 10;', 'patched;'));
  t.match(failureOf(await apply([file('docs.patch', docs)])), {
    kind: 'change-rejected',
    message: /do not affect any file/,
  });
});

t.test('applies nothing if a hunk fails, and reports file, hunk and reject', async (t) => {
  const { apply, file, entries } = makeKernel(t);
  const wrong = file('wrong.patch', PATCH + patchOf('fs/ext2/super.c', 5, 'x;', 'another line;'));
  t.match(failureOf(await apply([wrong])), {
    kind: 'change-rejected',
    message: `wrong.patch does not apply to 6.1.0-1-test: no place fits fs/ext2/super.c: @@ -4,3 +4,3 @@ here`,
    place: { file: wrong },
    detail: /^-another line;$/m,
  });
  t.strictSame(entries(), []);
  t.match(failureOf(await apply([file('no.patch', patchOf('fs/ext2/no.c', 5, 'x;'))])), {
    kind: 'change-rejected',
    message: /fs\/ext2\/no\.c: No such file or directory/,
  });
});

t.test('rejects context that differs: no fuzz', async (t) => {
  const { apply, file } = makeKernel(t);
  const wrong = PATCH.replace(' line 11;', ' line eleven;');
  t.match(failureOf(await apply([file('fuzz.patch', wrong)])), { kind: 'change-rejected' });
});

t.test('recognises a patch that the kernel already has', async (t) => {
  const { apply, file } = makeKernel(t);
  const has = patchOf('fs/ext2/inode.c', 10, 'line 10;', 'bug;');
  t.match(failureOf(await apply([file('old.patch', has)])), { message: /already has it/ });
});

t.test('lists the changed files that do not belong to a module', async (t) => {
  const { context, file } = makeKernel(t);
  const outside = async (text: string) => {
    const variant = { name: 'v2', changes: [file('outside.patch', text)] };
    const paths = await pathsOutside(variant, context);
    return paths.ok ? paths.value : paths.failure;
  };
  t.strictSame(await outside(PATCH), []);
  for (const path of ['fs/dax.c', 'include/linux/dax.h', 'fs/ext2/Kconfig', 'fs/ext22/inode.c']) {
    t.strictSame(await outside(PATCH + patchOf(path, 10, 'patched;')), [path]);
  }
  const renamed = `\
diff --git a/fs/dax.c b/fs/ext2/dax.c
similarity index 100%
rename from fs/dax.c
rename to fs/ext2/dax.c
`;
  t.strictSame(await outside(renamed), ['fs/dax.c']);
});

t.test('rejects paths outside the tree', async (t) => {
  const { root, apply, file } = makeKernel(t);
  for (const path of ['../../escaped', 'fs/ext2/../../../../escaped', '/escaped']) {
    const leaving = `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
    const failure = failureOf(await apply([file('leaving.patch', leaving)]));
    t.match(failure, { message: path });
  }
  t.notOk(existsSync(join(root, 'escaped')));
  const link = `\
diff --git a/fs/ext2/link.c b/fs/ext2/link.c
new file mode 120000
--- /dev/null
+++ b/fs/ext2/link.c
@@ -0,0 +1 @@
+../../../source/fs/ext2/inode.c
\\ No newline at end of file
`;
  t.match(failureOf(await apply([file('link.patch', link)])), { message: /symbolic links/ });
});

t.test('rejects a file without a patch, or with a broken one', async (t) => {
  const { root, kernel, apply, file } = makeKernel(t);
  t.match(failureOf(await apply([file('words.patch', 'Nothing here.\n')])), {
    kind: 'unreadable',
    message: 'words.patch contains no patch',
  });
  t.match(failureOf(await apply([file('cut.patch', PATCH.slice(0, -20))])), {
    kind: 'unreadable',
    message: 'cut.patch is broken',
    detail: /corrupt patch at line/,
  });
  t.match(failureOf(await apply([join(root, 'none.patch')])), {
    kind: 'unreadable',
    message: /no such file/,
  });
  delete kernel.build;
  t.match(failureOf(await apply([file('fix.patch', PATCH)])), {
    kind: 'usage',
    message: 'There are no sources to change for debian:6.1',
  });
});
