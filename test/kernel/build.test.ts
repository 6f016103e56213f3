import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildModule } from '../../cli/kernel/build.js';
import { fileSystemModule } from '../../cli/kernel/file-system-module.js';
import type { Kernel } from '../../cli/kernel/kernel.js';
import { RECIPES } from '../../cli/kernel/recipes.js';
import { formatFailure } from '../../cli/outcome.js';
import { makeContext, prependPath } from './context.js';
import { linesOf, makeModule, makeProgram, writeTree } from './fixtures.js';

const RELEASE = '6.1.0-1-test';

/**
 * Headers whose make file compiles like the kernel's, as far as we see it: with the test's compiler
 * it makes an object for each changed source, then a module.
 */
const HEADERS = `\
sources := $(wildcard $(M)/*.c)
modules: $(M)/ext2.ko
$(M)/ext2.ko: $(sources:.c=.o)
	@env >$(M)/environment
	@printf '%s\\n' '$(KCFLAGS)' 'EXT2_FS=$(CONFIG_EXT2_FS)' >$(M)/flags
	@cp prebuilt.ko $@
$(M)/%.o: $(M)/%.c
	@echo '  CC [M]  $@'
	@$(CC) $< $@
.PHONY: modules
`;

function makeKernel(t: import('tap').Test, compiler = 'cp "$1" "$2"') {
  const root = t.testdir();
  const calls = join(root, 'calls');
  const vermagic = `${RELEASE} SMP mod_unload `;
  makeModule(join(root, 'headers/prebuilt.ko'), { name: 'ext2', depends: 'mbcache', vermagic });
  writeTree(root, {
    'headers/Makefile': HEADERS,
    'headers/.config': 'CONFIG_FS_DAX=y\n',
    'headers/Module.symvers': '',
    'source/fs/ext2/inode.c': 'int inode;\n',
    'source/fs/ext2/super.c': 'int super;\n',
    'source/fs/ext2/Makefile': '',
    'source/fs/ext2/super.o': 'what somebody built here before',
  });
  makeProgram(join(root, 'bin'), 'gcc-12', `echo "$(basename "$1")" >>"${calls}"\n${compiler}`);
  prependPath(t, join(root, 'bin'));
  const kernel: Kernel = {
    spec: 'debian:6.1',
    release: RELEASE,
    id: 'k',
    image: join(root, 'bzImage'),
    bootImage: join(root, 'bzImage'),
    build: { headers: join(root, 'headers'), source: join(root, 'source'), compiler: 'gcc-12' },
  };
  return { root, kernel, calls: () => linesOf(calls), ...makeContext(root) };
}

const recipe = RECIPES.ext2;

t.test("builds a file system that the kernel's configuration has off", async (t) => {
  const { kernel, context, calls, stages } = makeKernel(t);
  const module = await fileSystemModule(kernel, 'ext2', context);
  if (!module.ok || !module.value) return t.fail(JSON.stringify(module));
  t.match(module.value, {
    name: 'ext2',
    origin: 'built',
    dependencies: ['mbcache'],
    compiler: 'gcc-12',
  });
  t.strictSame(calls().sort(), ['inode.c', 'super.c']);
  t.strictSame(stages(), [`Building ext2 for ${RELEASE} with gcc-12`]);
  const log = readFileSync(join(module.value.file, '../build.log'), 'utf8');
  for (const part of [
    'CC=gcc-12',
    'CONFIG_EXT2_FS=m',
    'CONFIG_EXT2_FS_SECURITY=y',
    '-DCONFIG_EXT2_FS_MODULE=1',
    '-DCONFIG_EXT2_FS_XATTR=1',
    '-DCONFIG_EXT2_FS_POSIX_ACL=1',
    'CONFIG_DEBUG_INFO_BTF_MODULES= ',
  ]) {
    t.ok(log.includes(part), part);
  }
});

t.test('takes an unchanged module from the cache, and compiles only what changed', async (t) => {
  const { root, kernel, context, calls } = makeKernel(t);
  const first = await buildModule({ kernel, recipe }, context);
  t.strictSame(await buildModule({ kernel, recipe }, context), first);
  t.equal(calls().length, 2);

  const source = join(root, 'patched');
  writeTree(source, { 'inode.c': 'int patched;\n', 'super.c': 'int super;\n', Makefile: '' });
  const patched = await buildModule({ kernel, recipe, source }, context);
  t.ok(first.ok && patched.ok && patched.value.file !== first.value.file);
  t.strictSame(calls().slice(2), ['inode.c']);

  // Back to the first: its module is in the cache, though the workspace has the other.
  t.strictSame(await buildModule({ kernel, recipe }, context), first);
  t.equal(calls().length, 3);
});

t.test('builds again for another compiler, configuration or headers', async (t) => {
  const { root, kernel, context, calls } = makeKernel(t);
  await buildModule({ kernel, recipe }, context);
  writeFileSync(join(root, 'headers/Module.symvers'), '0x1\tsymbol\n');
  await buildModule({ kernel, recipe }, context);
  t.equal(calls().length, 4);
  const compiler = readFileSync(join(root, 'bin/gcc-12'), 'utf8');
  makeProgram(join(root, 'bin'), 'gcc-12', `${compiler} # a newer one`);
  await buildModule({ kernel, recipe }, context);
  t.equal(calls().length, 6);
});

t.test("keeps the user's environment for other builds out", async (t) => {
  const { kernel, context } = makeKernel(t);
  const strange = { ARCH: 'arm64', LLVM: '1', KCFLAGS: '-Dbad', MAKEFLAGS: '--dry-run' };
  Object.assign(process.env, strange);
  t.teardown(() => {
    for (const name of Object.keys(strange)) delete process.env[name];
  });
  const built = await buildModule({ kernel, recipe }, context);
  if (!built.ok) return t.fail(formatFailure(built.failure));
  t.notMatch(readFileSync(join(built.value.directory, 'build.log'), 'utf8'), /arm64|-Dbad|LLVM/);
});

t.test("reports the compiler's message and place for a source that does not compile", async (t) => {
  const error = 'echo "$1:3:1: error: expected expression" >&2; exit 1';
  const { kernel, context } = makeKernel(t, `case "$1" in *inode.c) ${error};; esac; cp "$1" "$2"`);
  const built = await buildModule({ kernel, recipe }, context);
  t.match(built, { ok: false, failure: { kind: 'build-failed', message: /ext2 does not build/ } });
  t.match(!built.ok && built.failure.detail, /^fs\/ext2\/inode\.c:3:1: error: expected/m);
});

t.test('does not blame the source for a full disk', async (t) => {
  const { kernel, context } = makeKernel(t, 'echo "fatal: No space left on device" >&2; exit 1');
  t.match(await buildModule({ kernel, recipe }, context), { failure: { kind: 'storage' } });
});

t.test('rejects a module for another release', async (t) => {
  const { root, kernel, context } = makeKernel(t);
  makeModule(join(root, 'headers/prebuilt.ko'), { name: 'ext2', vermagic: '6.1.0-9-other SMP ' });
  t.match(await buildModule({ kernel, recipe }, context), {
    failure: { kind: 'build-failed', message: /6\.1\.0-9-other/ },
  });
});

t.test('leaves no half-made objects behind when interrupted', async (t) => {
  const { root, kernel, context, calls } = makeKernel(
    t,
    'if [ -e "$(dirname "$0")/fast" ]; then cp "$1" "$2"; else echo half >"$2"; sleep 100; fi',
  );
  const controller = new AbortController();
  const building = buildModule({ kernel, recipe }, { ...context, signal: controller.signal });
  while (calls().length < 1) await new Promise((done) => setTimeout(done, 20));
  controller.abort();
  t.match(await building, { failure: { kind: 'interrupted' } });
  const before = calls().length;
  writeFileSync(join(root, 'bin/fast'), '');
  t.ok((await buildModule({ kernel, recipe }, context)).ok);
  t.strictSame(calls().slice(before).sort(), ['inode.c', 'super.c']);
});

t.test('rejects a directory that make cannot work in', async (t) => {
  const { root, kernel, context } = makeKernel(t);
  const store = { root: join(root, 'with blank') };
  t.match(await buildModule({ kernel, recipe }, { ...context, store }), {
    failure: { kind: 'storage', message: /blank or a colon/, remedy: /XDG_CACHE_HOME/ },
  });
});

t.test('says that the kernel has no DAX, or that there is nothing to build with', async (t) => {
  const { root, kernel, context, notes } = makeKernel(t);
  writeFileSync(join(root, 'headers/.config'), '# CONFIG_FS_DAX is not set\n');
  t.ok((await fileSystemModule(kernel, 'ext2', context)).ok);
  t.match(notes(), [/no CONFIG_FS_DAX/]);
  const { build: _, ...bare } = kernel;
  t.match(await buildModule({ kernel: bare, recipe }, context), { failure: { kind: 'usage' } });
});
