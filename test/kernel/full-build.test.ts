import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileSystemModule, isBuiltIn } from '../../cli/kernel/file-system-module.js';
import type { ResolveOptions } from '../../cli/kernel/kernel.js';
import { resolveKernel } from '../../cli/kernel/resolve.js';
import { exitCodeOf, formatFailure } from '../../cli/outcome.js';
import { setUpKernelTree } from './fake-kernel-tree.js';
import { makeProgram } from './fixtures.js';

type Rig = ReturnType<typeof setUpKernelTree>;

async function build({ tree, context }: Rig, options: ResolveOptions = {}, spec = `src:${tree}`) {
  const kernel = await resolveKernel(spec, context, options);
  if (!kernel.ok) throw new Error(formatFailure(kernel.failure));
  return kernel.value;
}

async function failed({ tree, context }: Rig, options: ResolveOptions = {}) {
  const kernel = await resolveKernel(`src:${tree}`, context, options);
  if (kernel.ok) throw new Error('it did not fail');
  return kernel.failure;
}

const ALL = ['dax.c', 'inode.c', 'memory.c', 'super.c'];

/** Every file of a tree with its size and times. */
function snapshot(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs, ctimeMs } = lstatSync(join(tree, name));
      return `${name} ${size} ${mtimeMs} ${ctimeMs}`;
    });
}

t.test('builds a kernel with its modules, and announces how long it takes', async (t) => {
  const rig = setUpKernelTree(t);
  const before = snapshot(rig.tree);
  const kernel = await build(rig);
  t.strictSame(snapshot(rig.tree), before, 'the tree is unchanged');
  t.match(kernel, {
    spec: `src:${rig.tree}`,
    release: /^6\.1\.7-dax[0-9a-f]{8}$/,
    // Only ext2's sources in this stand-in for a tree have DAX code.
    lacksDax: ['ext4', 'xfs'],
  });
  t.equal(kernel.bootImage, join(kernel.image, '../../vmlinux'));
  t.match(readFileSync(join(kernel.modules ?? '', 'modules.dep'), 'utf8'), 'fs/ext2/ext2.ko');
  t.notOk(existsSync(join(kernel.modules ?? '', 'build')));
  t.ok(existsSync(join(kernel.build?.headers ?? '', 'include/linux/dax.h')));
  t.ok(existsSync(join(kernel.build?.source ?? '', 'fs/ext2/super.c')));
  t.match(rig.notes(), [
    /^A full build of kernel 6\.1\.7 \(src:.*\) with gcc: about \d+ min on .* \(a rule of thumb\)/,
  ]);
  t.strictSame(rig.compiled(), ALL);
  t.match(readFileSync(join(kernel.image, '../../config'), 'utf8'), /^CONFIG_FS_DAX=y$/m);
  const log = readFileSync(join(kernel.image, '../../build.log'), 'utf8');
  t.match(log, / TMPDIR=\S+\/kernel-workspace\/\w+\/tmp /, 'temporary files stay in the workspace');
  const module = await fileSystemModule(kernel, 'ext2', rig.context);
  t.match(module, { value: { name: 'ext2', origin: 'packaged' } });

  t.strictSame(await build(rig), kernel, 'the second build comes from the cache');
  t.strictSame(rig.compiled(), []);
  t.equal(rig.notes().length, 1);
});

t.test('compiles only the changed files of a changed tree, as another kernel', async (t) => {
  const rig = setUpKernelTree(t);
  const first = await build(rig);
  rig.compiled();
  writeFileSync(join(rig.tree, 'mm/memory.c'), 'changed;\n');
  const second = await build(rig);
  t.strictSame(rig.compiled(), ['memory.c']);
  t.not(second.id, first.id);
  t.not(second.release, first.release);
  t.match(rig.notes()[1], /only what differs from the previous build/);
});

t.test('takes a compiler by path, by name and with ccache; rejects a missing one', async (t) => {
  const rig = setUpKernelTree(t);
  const own = join(rig.root, 'opt/gcc-4.9');
  makeProgram(join(rig.root, 'opt'), 'gcc-4.9', 'cp "$1" "$2"; echo own >>"$0.calls"');
  const first = await build(rig);
  const kernel = await build(rig, { cc: own });
  t.not(kernel.id, first.id);
  t.equal(readFileSync(`${own}.calls`, 'utf8'), 'own\n'.repeat(4));
  t.equal(kernel.build?.compiler, own);
  const log = readFileSync(join(kernel.image, '../../build.log'), 'utf8');
  t.ok(log.includes(`CC=ccache ${own} `));
  for (const cc of ['/nowhere/gcc', 'gcc-of-nobody', rig.root]) {
    const failure = await failed(rig, { cc });
    t.equal(exitCodeOf(failure), 2, formatFailure(failure));
  }
});

t.test('names a symbol that the configuration lost, with its dependencies', async (t) => {
  const rig = setUpKernelTree(t, ['FS_DAX', 'ZONE_DEVICE']);
  const failure = await failed(rig);
  t.match(failure, {
    kind: 'build-failed',
    message: /lost CONFIG_ZONE_DEVICE, CONFIG_FS_DAX, which were requested/,
    place: { file: 'kernels/fragments/pmem.config' },
    detail: /FS_DAX=y: it depends on ZONE_DEVICE && !HIGHMEM \(Kconfig\); ZONE_DEVICE is off/,
  });
  t.match(failure.detail, /CONFIG_ZONE_DEVICE=y: this tree has no such symbol/);
  t.strictSame(rig.compiled(), []);
});

t.test('may lose an optional symbol', async (t) => {
  const rig = setUpKernelTree(t, ['PVH', 'VIRTIO_PMEM']);
  const kernel = await build(rig);
  const record = JSON.parse(readFileSync(join(kernel.image, '../../kernel.json'), 'utf8'));
  t.strictSame(record.without.sort(), ['PVH', 'VIRTIO_PMEM']);
});

t.test(
  "merges a user's fragment; a symbol lost from it is a usage error at its line",
  async (t) => {
    const rig = setUpKernelTree(t, ['LOST_ONE']);
    const fragment = rig.file('own.config', '# mine\nCONFIG_LOCKDEP=y\nCONFIG_LOG_BUF_SHIFT=18\n');
    const kernel = await build(rig, { kconfig: [fragment] });
    t.match(readFileSync(join(kernel.image, '../../config'), 'utf8'), /^CONFIG_LOCKDEP=y$/m);
    const cases = [
      ['CONFIG_LOST_ONE=y\n', 1, / lost CONFIG_LOST_ONE/],
      [
        'CONFIG_A=y\n# CONFIG_FS_DAX is not set\n',
        2,
        /FS_DAX=n is not possible: without it no file system/,
      ],
      ['# CONFIG_VIRTIO_CONSOLE is not set\n', 1, /a guest does not boot without it/],
      ['\nFS_DAX=y\n', 2, /not a line of a kernel configuration/],
      ['# nothing\n', 1, /no setting/],
    ] as const;
    for (const [text, line, message] of cases) {
      const file = rig.file('wrong.config', text);
      const failure = await failed(rig, { kconfig: [file] });
      t.match(failure, { message, place: { file, line } });
      t.equal(exitCodeOf(failure), 2);
    }
    t.match(await failed(rig, { kconfig: [join(rig.root, 'none')] }), { message: /no such file/ });
  },
);

t.test('rejects build options for a kernel that is not built', async (t) => {
  const { context } = setUpKernelTree(t);
  for (const options of [{ cc: 'gcc' }, { kconfig: ['x'] }]) {
    t.match(await resolveKernel('host', context, options), { failure: { kind: 'usage' } });
  }
});

t.test("reports a failed build with the compiler's message and a remedy", async (t) => {
  const rig = setUpKernelTree(t);
  rig.compiler(
    'case "$1" in *dax.c) echo "$1:3: error: code model kernel does not support PIC mode" >&2; exit 1;; esac; cp "$1" "$2"',
  );
  t.match(await failed(rig), {
    kind: 'build-failed',
    message: /does not build with gcc/,
    remedy: /gcc 5 or older with --cc/,
    detail: /fs\/dax\.c:3: error/,
  });
  t.strictSame(
    readdirSync(join(rig.context.store.root, 'kernel-build')).filter(
      (name) => !name.endsWith('.lock'),
    ),
    [],
  );
  // What was compiled before the failure stays.
  rig.compiled();
  rig.compiler();
  await build(rig);
  t.ok(rig.compiled().includes('dax.c'));
});

t.test('does not blame the kernel for a missing package or a full disk', async (t) => {
  const rig = setUpKernelTree(t);
  rig.compiler('echo "fatal error: openssl/opensslv.h: No such file or directory" >&2; exit 1');
  t.match(await failed(rig), { kind: 'program-missing', remedy: /libssl-dev/ });
  rig.compiler('echo "cannot write: No space left on device" >&2; exit 1');
  t.match(await failed(rig), { kind: 'storage' });
});

t.test('leaves nothing that looks complete when interrupted', async (t) => {
  const rig = setUpKernelTree(t);
  rig.compiler('echo half >"$2"; sleep 100');
  const controller = new AbortController();
  const building = resolveKernel(
    `src:${rig.tree}`,
    { ...rig.context, signal: controller.signal },
    {},
  );
  while (rig.compiled().length < 1) await new Promise((done) => setTimeout(done, 20));
  controller.abort();
  t.match(await building, { failure: { kind: 'interrupted' } });
  rig.compiler();
  rig.compiled();
  await build(rig);
  t.strictSame(rig.compiled(), ALL);
});

t.test('has the file systems built in if the tree makes no modules', async (t) => {
  const rig = setUpKernelTree(t, ['MODULES', 'MODULE_UNLOAD']);
  const version = readFileSync(join(rig.tree, 'Makefile'), 'utf8');
  writeFileSync(
    join(rig.tree, 'Makefile'),
    version.replace('VERSION = 6\nPATCHLEVEL = 1', 'VERSION = 4\nPATCHLEVEL = 5'),
  );
  const kernel = await build(rig);
  t.strictSame(rig.compiled(), ALL);
  t.ok(
    rig
      .notes()
      .some((note) => /without modules: a kernel before 4\.16 .* today's binutils/.test(note)),
  );
  const log = readFileSync(join(kernel.image, '../../build.log'), 'utf8');
  for (const flag of ['KCFLAGS=-fno-pie', 'HOSTCFLAGS=-O2 -fcommon'])
    t.ok(log.includes(flag), flag);
  const config = readFileSync(join(kernel.image, '../../config'), 'utf8');
  t.notMatch(config, /^CONFIG_MODULES=y$/m);
  t.equal(await isBuiltIn(kernel, 'ext2'), /^CONFIG_EXT2_FS=y$/m.test(config));
});

t.test('ignores what a build left in the tree, and follows no links out of it', async (t) => {
  const rig = setUpKernelTree(t);
  writeFileSync(join(rig.tree, '.config'), 'CONFIG_OLD=y\n');
  writeFileSync(join(rig.tree, 'fs/dax.o'), 'old');
  const link = join(rig.root, 'link');
  symlinkSync(rig.tree, link);
  const kernel = await build(rig, {}, `src:${link}`);
  t.strictSame(rig.compiled(), ALL);
  t.equal(kernel.spec, `src:${link}`);
});
