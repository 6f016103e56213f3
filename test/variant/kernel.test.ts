import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { comparedSpec } from '../../cli/compare/kernels.js';
import { formatFailure } from '../../cli/outcome.js';
import { variantKernel } from '../../cli/variant/kernel.js';
import { variantModule } from '../../cli/variant/module.js';
import { BASE } from '../../cli/variant/variant.js';
import { setUpKernelTree } from '../kernel/fake-kernel-tree.js';
import { failureOf, patchOf } from './rig.js';

const ALL = ['dax.c', 'inode.c', 'memory.c', 'super.c'];

function setUp(t: import('tap').Test, lost: readonly string[] = []) {
  const rig = setUpKernelTree(t, lost);
  const spec = `src:${rig.tree}`;
  const of = (name: string, ...patches: string[]) => ({
    name,
    changes: patches.map((patch, index) => rig.file(`${name}-${index}.patch`, patch)),
  });
  const build = async (variant: ReturnType<typeof of> | typeof BASE) => {
    const found = await variantKernel(spec, variant, {}, rig.context);
    if (!found.ok) throw new Error(formatFailure(found.failure));
    return found.value;
  };
  return { ...rig, spec, of, build };
}

t.test('uses the same kernel, with another module, for a change to one file system', async (t) => {
  const { of, build, compiled, context } = setUp(t);
  const base = await build(BASE);
  t.strictSame(compiled(), ALL);
  const first = of('v1', patchOf('fs/ext2/super.c', 10, 'patched;'));
  const found = await build(first);
  t.strictSame([found.kernel.id, found.changed], [base.kernel.id, false]);
  t.match(await variantModule(found.kernel, 'ext2', first, context), {
    value: { origin: 'built' },
  });
  t.strictSame(compiled(), ['inode.c', 'super.c']);
  // One line of the patch differs: only that object is compiled again.
  const second = of('v2', patchOf('fs/ext2/super.c', 10, 'patched otherwise;'));
  t.match(await variantModule(found.kernel, 'ext2', second, context), {
    value: { origin: 'built' },
  });
  t.strictSame(compiled(), ['super.c']);
});

t.test('builds a kernel for a change to more, and compiles only what differs', async (t) => {
  const { of, build, compiled, context } = setUp(t);
  const base = await build(BASE);
  compiled();
  const variant = of('v1', patchOf('fs/dax.c', 10, 'patched;'));
  const found = await build(variant);
  t.strictSame(compiled(), ['dax.c']);
  t.ok(found.changed);
  t.not(found.kernel.id, base.kernel.id);
  t.not(found.kernel.release, base.kernel.release, 'the guest can tell which one it runs');
  t.match(await variantModule(found.kernel, 'ext2', BASE, context), {
    value: { origin: 'packaged' },
  });

  // What two variants have in common is not compiled again, nor is what the cache has.
  const both = of('v2', patchOf('fs/dax.c', 10, 'patched;'), patchOf('mm/memory.c', 5, 'patched;'));
  await build(both);
  t.strictSame(compiled(), ['memory.c']);
  t.equal((await build(BASE)).kernel.id, base.kernel.id);
  t.equal((await build(variant)).kernel.id, found.kernel.id);
  t.strictSame(compiled(), []);
  // dax.c as it was, next to a new change.
  await build(of('v3', patchOf('mm/memory.c', 7, 'patched;')));
  t.strictSame(compiled(), ['dax.c', 'memory.c']);
});

t.test('handles files that appear, disappear and are renamed', async (t) => {
  const { of, build, context } = setUp(t);
  await build(BASE);
  const added = `\
diff --git a/include/linux/fresh.h b/include/linux/fresh.h
new file mode 100644
--- /dev/null
+++ b/include/linux/fresh.h
@@ -0,0 +1 @@
+fresh
diff --git a/include/linux/dax.h b/include/linux/dax-old.h
similarity index 100%
rename from include/linux/dax.h
rename to include/linux/dax-old.h
diff --git a/arch/x86/include/asm/page.h b/arch/x86/include/asm/page.h
deleted file mode 100644
--- a/arch/x86/include/asm/page.h
+++ /dev/null
@@ -1 +0,0 @@
-page
`;
  const headers = async (variant: Parameters<typeof build>[0]) => {
    const { kernel } = await build(variant);
    const top = kernel.build?.headers ?? '';
    return [
      ...readdirSync(join(top, 'include/linux')),
      ...readdirSync(join(top, 'arch/x86/include/asm')),
    ].sort();
  };
  t.strictSame(await headers(of('v1', added)), ['dax-old.h', 'fresh.h']);
  // And everything back.
  t.strictSame(await headers(of('v2', patchOf('mm/memory.c', 5, 'x;'))), ['dax.h', 'page.h']);
  t.ok(context);
});

t.test('leaves the workspace intact after a change that does not apply', async (t) => {
  const { spec, of, build, compiled, context } = setUp(t);
  await build(BASE);
  compiled();
  const wrong = of('v1', patchOf('fs/dax.c', 10, 'x;', 'no such line;'));
  t.match(failureOf(await variantKernel(spec, wrong, {}, context)), {
    kind: 'change-rejected',
    message: /does not apply to 6\.1\.7: no place fits fs\/dax\.c: @@/,
  });
  await build(of('v2', patchOf('mm/memory.c', 5, 'patched;')));
  t.strictSame(compiled(), ['memory.c']);
});

t.test('builds the whole kernel for a file system that is built in', async (t) => {
  const { tree, of, build, compiled } = setUp(t, ['MODULES', 'MODULE_UNLOAD', 'EXT2_FS']);
  const { writeFileSync } = await import('node:fs');
  const makefile = readFileSync(join(tree, 'Makefile'), 'utf8')
    .replace('VERSION = 6\nPATCHLEVEL = 1', 'VERSION = 4\nPATCHLEVEL = 5')
    // Like Kconfig without modules.
    .replace('>$(O)/.config', '>$(O)/.config; echo CONFIG_EXT2_FS=y >>$(O)/.config');
  writeFileSync(join(tree, 'Makefile'), makefile);
  const base = await build(BASE);
  t.strictSame(compiled(), ALL);
  const found = await build(of('v1', patchOf('fs/ext2/super.c', 10, 'patched;')));
  t.strictSame([found.changed, compiled()], [true, ['super.c']]);
  t.not(found.kernel.release, base.kernel.release);
});

t.test('builds a packaged kernel from source, for all variants that are compared', async (t) => {
  const { of, context, notes } = setUp(t);
  const small = of('small', patchOf('fs/ext2/super.c', 10, 'patched;'));
  const wide = of('wide', patchOf('fs/dax.c', 10, 'patched;'));
  t.equal(await comparedSpec('debian:6.1', [BASE, small], context), 'debian:6.1');
  t.equal(await comparedSpec('debian:6.1', [BASE, small, wide], context), 'debsrc:6.1');
  t.match(notes(), [
    /^wide changes fs\/dax\.c, which needs a full build: of debsrc:6\.1, .* All variants are compared on it$/,
  ]);
  t.equal(await comparedSpec('src:/linux', [wide], context), 'src:/linux');
  t.equal(await comparedSpec('host', [wide], context), 'host');
});
