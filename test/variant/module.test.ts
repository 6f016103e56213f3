import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { variantModule } from '../../cli/variant/module.js';
import { BASE } from '../../cli/variant/variant.js';
import { prependPath } from '../kernel/context.js';
import { linesOf, makeProgram, writeTree } from '../kernel/fixtures.js';
import { failureOf, makeKernel, patchOf, RELEASE } from './rig.js';

/**
 * Makes objects only for changed sources. The module's text, and so its build id, depends on them.
 */
const HEADERS = `\
sources := $(wildcard $(M)/*.c)
modules: $(M)/ext2.ko
$(M)/ext2.ko: $(sources:.c=.o)
	@cat $^ | cksum | sed 's/\\([0-9]*\\) .*/.text; .long \\1/' | cat modinfo.s - | as -o $@.o
	@ld -r --build-id=sha1 -o $@ $@.o
$(M)/%.o: $(M)/%.c
	@$(CC) $< $@
.PHONY: modules
`;

function makeBuildable(t: Test) {
  const made = makeKernel(t);
  const calls = join(made.root, 'calls');
  writeTree(made.root, {
    'headers/Makefile': HEADERS,
    'headers/modinfo.s': `.section .modinfo,"a"\n.asciz "name=ext2"\n.asciz "depends="\n.asciz "vermagic=${RELEASE} SMP "\n`,
    'headers/.config': 'CONFIG_FS_DAX=y\n',
    'headers/Module.symvers': '',
  });
  makeProgram(
    join(made.root, 'bin'),
    'gcc-12',
    `echo "$(basename "$1")" >>"${calls}"\ncp "$1" "$2"`,
  );
  prependPath(t, join(made.root, 'bin'));
  return { ...made, calls: () => linesOf(calls) };
}

t.test('makes another module for a change, and compiles only what changed', async (t) => {
  const { kernel, context, file, calls, stages } = makeBuildable(t);
  const base = await variantModule(kernel, 'ext2', BASE, context);
  t.strictSame(calls().sort(), ['inode.c', 'super.c']);
  const variant = {
    name: 'v2',
    changes: [file('v2.patch', patchOf('fs/ext2/inode.c', 10, 'patched;'))],
  };
  const patched = await variantModule(kernel, 'ext2', variant, context);
  if (!base.ok || !patched.ok) return t.fail(JSON.stringify([base, patched]));
  t.strictSame(calls().slice(2), ['inode.c']);
  t.equal(patched.value?.origin, 'built');
  t.not(patched.value?.buildId, base.value?.buildId);
  t.not(patched.value?.sha256, base.value?.sha256);
  const before = stages().length;
  t.same(await variantModule(kernel, 'ext2', variant, context), patched);
  t.equal(stages().length, before, 'nothing is built twice');
  t.same(await variantModule(kernel, 'ext2', BASE, context), base, 'base is unchanged');
});

t.test('uses the base module if no change touches it', async (t) => {
  const { kernel, context, file } = makeBuildable(t);
  const changes = [file('v2.patch', patchOf('fs/ext4/inode.c', 10, 'patched;'))];
  const base = await variantModule(kernel, 'ext2', BASE, context);
  t.same(await variantModule(kernel, 'ext2', { name: 'v2', changes }, context), base);
});

t.test('rejects a change to a file system that is built in', async (t) => {
  const { root, kernel, context, file } = makeBuildable(t);
  kernel.modules = join(root, 'modules');
  mkdirSync(kernel.modules);
  writeFileSync(join(kernel.modules, 'modules.dep'), '');
  writeFileSync(join(kernel.modules, 'modules.builtin'), 'kernel/fs/ext4/ext4.ko\n');
  const changes = [file('v2.patch', patchOf('fs/ext4/inode.c', 10, 'patched;'))];
  t.match(failureOf(await variantModule(kernel, 'ext4', { name: 'v2', changes }, context)), {
    kind: 'change-rejected',
    message: /^v2 changes ext4, but 6\.1\.0-1-test has ext4 built in/,
  });
});

t.test('reports a change that does not compile', async (t) => {
  const { root, kernel, context, file } = makeBuildable(t);
  makeProgram(
    join(root, 'bin'),
    'gcc-12',
    'grep -n broken "$1" && { echo "inode.c:10: error"; exit 1; }; cp "$1" "$2"',
  );
  const changes = [file('v2.patch', patchOf('fs/ext2/inode.c', 10, 'broken;'))];
  t.match(failureOf(await variantModule(kernel, 'ext2', { name: 'v2', changes }, context)), {
    kind: 'build-failed',
    detail: /inode\.c:10: error/,
  });
});
