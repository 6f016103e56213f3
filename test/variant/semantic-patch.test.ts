import { join } from 'node:path';
import t, { type Test } from 'tap';
import { prependPath } from '../kernel/context.js';
import { linesOf, makeProgram } from '../kernel/fixtures.js';
import { failureOf, INODE, makeKernel, patchOf, read } from './rig.js';

/** A fake spatch, which runs the test's script. */
function withSpatch(t: Test, script: string) {
  const made = makeKernel(t);
  const calls = join(made.root, 'calls');
  makeProgram(join(made.root, 'bin'), 'spatch', `echo "$@" >>"${calls}"\n${script}`);
  prependPath(t, join(made.root, 'bin'));
  return { ...made, calls: () => linesOf(calls), cocci: made.file('change.cocci', '@@ @@\n- a\n') };
}

t.test('applies it in place, on a copy, among patches, and once', async (t) => {
  const { root, apply, file, calls, cocci } = withSpatch(
    t,
    'sed -i "s/^patched;/semantic;/" fs/ext2/inode.c',
  );
  const patch = file('fix.patch', patchOf('fs/ext2/inode.c', 10, 'patched;'));
  const source = await apply([patch, cocci]);
  t.equal(read(source, 'fs/ext2/inode.c'), INODE.replace('line 10;', 'semantic;'));
  t.equal(read({ ok: true, value: join(root, 'source') }, 'fs/ext2/inode.c'), INODE);
  t.match(calls()[0], '--in-place');
  t.same(await apply([patch, cocci]), source);
  t.equal(calls().length, 1);
  // Another version of spatch may give another result.
  makeProgram(join(root, 'bin'), 'spatch', 'sed -i "s/^patched;/newer;/" fs/ext2/inode.c');
  t.equal(
    read(await apply([patch, cocci]), 'fs/ext2/inode.c'),
    INODE.replace('line 10;', 'newer;'),
  );
});

t.test('fails if nothing matches', async (t) => {
  const { apply, entries, cocci } = withSpatch(t, 'exit 0');
  t.match(failureOf(await apply([cocci])), {
    kind: 'change-rejected',
    message: 'change.cocci has no match in 6.1.0-1-test, in fs/ext2, fs/ext4, fs/xfs',
    place: { file: cocci },
  });
  t.strictSame(entries(), []);
});

t.test("reports spatch's message and place for a patch that does not parse", async (t) => {
  const { apply, cocci } = withSpatch(
    t,
    `for last; do case $last in *.cocci) file=$last ;; esac; done
echo 'init_defs_builtins: /usr/lib/coccinelle/standard.h' >&2
printf 'minus: parse error: \\n  File "%s", line 4, column 0, charpos = 33\\n' "$file" >&2
exit 255`,
  );
  t.same(failureOf(await apply([cocci])), {
    kind: 'unreadable',
    message: 'spatch cannot apply change.cocci',
    remedy: 'Correct the semantic patch; `spatch --parse-cocci` checks it without sources',
    place: { file: cocci, line: 4, column: 1 },
    detail: 'minus: parse error: \n  File "change.cocci", line 4, column 0, charpos = 33',
  });
});

t.test('fails for a file that spatch gave up on, although it exits with 0', async (t) => {
  const { apply, cocci } = withSpatch(
    t,
    'echo x >>fs/ext2/inode.c; echo "EXN: Failure in fs/ext4/inode.c" >&2',
  );
  t.match(failureOf(await apply([cocci])), { kind: 'unreadable', detail: /EXN/ });
});

t.test('needs no spatch for a plain patch', async (t) => {
  const { apply, file, calls } = withSpatch(t, 'exit 1');
  t.ok((await apply([file('fix.patch', patchOf('fs/ext2/inode.c', 10, 'patched;'))])).ok);
  t.strictSame(calls(), []);
});
