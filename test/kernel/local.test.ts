import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { fileSystemModule } from '../../cli/kernel/file-system-module.js';
import { vmlinuxRelease } from '../../cli/kernel/local.js';
import { moduleTree } from '../../cli/kernel/module-tree.js';
import { resolveKernel } from '../../cli/kernel/resolve.js';
import { exitCodeOf, formatFailure } from '../../cli/outcome.js';
import { makeContext } from './context.js';
import { makeBzImage, makeModule, makeVmlinux } from './fixtures.js';

const RELEASE = '6.1.0-1-test';
const VMLINUX = makeVmlinux(RELEASE);

/** An image, modules below lib/modules, and a store. */
function makeKernel(t: import('tap').Test) {
  const root = t.testdir();
  const image = join(root, 'bzImage');
  writeFileSync(image, makeBzImage(RELEASE, gzipSync(VMLINUX)));
  const modules = join(root, 'lib/modules', RELEASE);
  const vermagic = `${RELEASE} SMP mod_unload `;
  makeModule(
    join(modules, 'kernel/fs/mbcache.ko'),
    { name: 'mbcache', depends: '', vermagic },
    { exports: 'mb_cache_create' },
  );
  makeModule(
    join(modules, 'kernel/fs/ext4/ext4.ko'),
    { name: 'ext4', depends: 'mbcache', srcversion: '533BB7E5866E52F63B9ACCB', vermagic },
    { imports: 'mb_cache_create' },
  );
  execFileSync('xz', [join(modules, 'kernel/fs/ext4/ext4.ko')]);
  writeFileSync(join(modules, 'modules.builtin'), 'kernel/fs/xfs/xfs.ko\n');
  // A link that `make modules_install` leaves.
  symlinkSync('/usr', join(modules, 'build'));
  return { root, image, modules, ...makeContext(root) };
}

async function complaint(t: import('tap').Test, spec: string): Promise<string> {
  const { context } = makeContext(join(t.testdirName, 'elsewhere'));
  const resolved = await resolveKernel(spec, context);
  return resolved.ok
    ? 'none'
    : `${exitCodeOf(resolved.failure)} ${formatFailure(resolved.failure)}`;
}

t.test('resolves an image without modules', async (t) => {
  const { image, context } = makeKernel(t);
  const resolved = await resolveKernel(`image:${image}`, context);
  if (!resolved.ok) return t.fail(resolved.failure.message);
  const kernel = resolved.value;
  t.match(kernel, { spec: `image:${image}`, release: RELEASE, image, id: /^[0-9a-f]{32}$/ });
  t.equal(kernel.modules, undefined);
  t.strictSame(readFileSync(kernel.bootImage), VMLINUX);
  t.strictSame(await fileSystemModule(kernel, 'ext4', context), { ok: true, value: undefined });
});

t.test('boots a vmlinux as it is', async (t) => {
  const file = join(t.testdir(), 'vmlinux');
  writeFileSync(file, VMLINUX);
  const { context } = makeContext(t.testdirName);
  t.match(await resolveKernel(`image:${file}`, context), {
    value: { release: RELEASE, image: file, bootImage: file },
  });
  t.equal(vmlinuxRelease(VMLINUX), RELEASE);
});

t.test('finds modules in their own directory or below a root', async (t) => {
  const { root, image, modules, context } = makeKernel(t);
  execFileSync('depmod', ['-b', root, RELEASE], { env: SBIN });
  for (const given of [modules, root]) {
    const resolved = await resolveKernel(`image:${image},${given}`, context);
    if (!resolved.ok) return t.fail(resolved.failure.message);
    t.equal(resolved.value.modules, modules);
  }
});

t.test('indexes modules without an index in another directory', async (t) => {
  const { image, modules, context } = makeKernel(t);
  const resolved = await resolveKernel(`image:${image},${modules}`, context);
  if (!resolved.ok) return t.fail(resolved.failure.message);
  const kernel = resolved.value;
  t.match(kernel.modules, context.store.root);
  t.match(
    readFileSync(join(kernel.modules ?? '', 'modules.dep'), 'utf8'),
    /ext4\.ko\.xz:.*mbcache/,
  );
  t.notOk(existsSync(join(modules, 'modules.dep')));

  await t.test('and their ids change with them', async (t) => {
    makeModule(join(modules, 'kernel/fs/mbcache.ko'), { name: 'mbcache', more: 'new' });
    const changed = await resolveKernel(`image:${image},${modules}`, context);
    t.ok(changed.ok && changed.value.id !== kernel.id);
  });
});

t.test('makes a tree of some modules, uncompressed, with their dependencies', async (t) => {
  const { image, modules, context } = makeKernel(t);
  const resolved = await resolveKernel(`image:${image},${modules}`, context);
  if (!resolved.ok) return t.fail(resolved.failure.message);
  const tree = await moduleTree(resolved.value, ['ext4', 'xfs', 'nd-pmem'], context);
  if (!tree.ok) return t.fail(tree.failure.message);
  const { directory, builtIn, absent } = tree.value;
  t.strictSame([builtIn, absent], [['xfs'], ['nd_pmem']]);
  const inTree = (path: string) => readFileSync(join(directory, 'lib/modules', RELEASE, path));
  t.equal(inTree('kernel/fs/ext4/ext4.ko').readUInt32BE(), 0x7f454c46);
  t.match(inTree('modules.dep').toString(), 'kernel/fs/ext4/ext4.ko: kernel/fs/mbcache.ko');
  const again = await moduleTree(resolved.value, ['xfs', 'nd_pmem', 'ext4'], context);
  t.strictSame(again, tree);
});

t.test('puts the configuration beside the modules, where xfstests looks for it', async (t) => {
  const { image, modules, context } = makeKernel(t);
  const treeOf = async () => {
    const resolved = await resolveKernel(`image:${image},${modules}`, context);
    if (!resolved.ok) throw new Error(resolved.failure.message);
    const tree = await moduleTree(resolved.value, ['ext4'], context);
    if (!tree.ok) throw new Error(tree.failure.message);
    return join(tree.value.directory, 'lib/modules', RELEASE, 'build/.config');
  };
  t.notOk(existsSync(await treeOf()), 'nothing without one');
  writeFileSync(join(modules, 'config'), 'CONFIG_QFMT_V2=m\n');
  t.equal(readFileSync(await treeOf(), 'utf8'), 'CONFIG_QFMT_V2=m\n', 'with the modules');
  writeFileSync(join(dirname(image), `config-${RELEASE}`), 'CONFIG_QFMT_V2=y\n');
  t.equal(readFileSync(await treeOf(), 'utf8'), 'CONFIG_QFMT_V2=y\n', 'beside the image');
});

t.test('finds the module that implements a file system', async (t) => {
  const { image, modules, context } = makeKernel(t);
  const resolved = await resolveKernel(`image:${image},${modules}`, context);
  if (!resolved.ok) return t.fail(resolved.failure.message);
  const ext4 = await fileSystemModule(resolved.value, 'ext4', context);
  if (!ext4.ok || !ext4.value) return t.fail('no module');
  t.match(ext4.value, {
    name: 'ext4',
    origin: 'packaged',
    srcversion: '533BB7E5866E52F63B9ACCB',
    dependencies: ['mbcache'],
    buildId: /^[0-9a-f]{40}$/,
    sha256: /^[0-9a-f]{64}$/,
  });
  const said = execFileSync('readelf', ['--notes', ext4.value.file], { encoding: 'utf8' });
  t.match(said, `Build ID: ${ext4.value.buildId}`);
  // One is built in, one is absent.
  t.strictSame(await fileSystemModule(resolved.value, 'xfs', context), {
    ok: true,
    value: undefined,
  });
  t.strictSame(await fileSystemModule(resolved.value, 'ext2', context), {
    ok: true,
    value: undefined,
  });
});

t.test('rejects files that are not kernels', async (t) => {
  const { root, image, modules } = makeKernel(t);
  const file = (name: string) => join(root, name);
  writeFileSync(file('text'), 'BZIMAGE\n');
  writeFileSync(file('empty'), '');
  writeFileSync(file('noentry'), makeVmlinux(RELEASE, []));
  t.match(await complaint(t, `image:${file('none')}`), /^2 .*There is no kernel image .*none/);
  t.match(await complaint(t, `image:${root}`), /^2 .*is a directory, not a kernel image/);
  t.match(await complaint(t, 'image:/dev/zero'), /^2 .*not a kernel image/);
  t.match(
    await complaint(t, `image:${file('text')}`),
    /^2 .*is not an x86 kernel image.*\n.*bzImage/,
  );
  t.match(await complaint(t, `image:${file('empty')}`), /^2 .*is not an x86 kernel image/);
  t.match(await complaint(t, `image:${file('noentry')}`), /^2 .*CONFIG_PVH/);
  t.match(await complaint(t, `image:${image},${file('none')}`), /^2 .*has no kernel modules/);
  if (process.getuid?.() !== 0) {
    chmodSync(image, 0);
    t.match(await complaint(t, `image:${image},${modules}`), /^2 .*cannot be read/);
  }
});

t.test('rejects modules of another release, and names both', async (t) => {
  const { root, modules } = makeKernel(t);
  const other = join(root, 'other');
  writeFileSync(other, makeBzImage('5.10.0-9-test', gzipSync(makeVmlinux('5.10.0-9-test'))));
  for (const given of [modules, root]) {
    const said = await complaint(t, `image:${other},${given}`);
    t.match(said, /^2 .*6\.1\.0-1-test.*5\.10\.0-9-test/, given);
  }
});

const SBIN = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
