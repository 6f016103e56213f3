import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { readCatalogue } from '../../cli/kernel/catalogue.js';
import { fetchSourceArchive } from '../../cli/kernel/debian.js';
import { resolveKernel } from '../../cli/kernel/resolve.js';
import { formatFailure } from '../../cli/outcome.js';
import { makeContext } from './context.js';
import { type FakeApt, makeApt } from './fake-apt.js';
import { makeProgram } from './fixtures.js';

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

function setUp(t: import('tap').Test) {
  const root = t.testdir({ apt: {} });
  const apt = makeApt(t, join(root, 'apt'));
  apt.addVersion('50', '6.1.176-1');
  apt.addVersion('56', '6.1.192-2');
  return { apt, ...makeContext(root) };
}

t.test('fetches every package in one version, and announces it first', async (t) => {
  const { apt, context, notes } = setUp(t);
  const resolved = await resolveKernel('debian:6.1', context);
  if (!resolved.ok) return t.fail(formatFailure(resolved.failure));
  const kernel = resolved.value;
  t.match(kernel, { spec: 'debian:6.1', release: '6.1.0-56-amd64', lacksDax: { length: 0 } });
  t.match(kernel.image, /boot\/vmlinuz-6\.1\.0-56-amd64$/);
  t.match(readFileSync(kernel.bootImage).subarray(0, 4), Buffer.from('\x7fELF'));
  t.match(readFileSync(join(kernel.modules ?? '', 'modules.dep'), 'utf8'), 'ext4/ext4.ko:');
  const { build } = kernel;
  t.equal(build?.compiler, 'gcc-12');
  t.notMatch(readFileSync(join(build?.headers ?? '', 'Makefile'), 'utf8'), / \/usr\/src/);
  t.match(readFileSync(join(build?.source ?? '', 'fs/ext2/inode.c'), 'utf8'), '6.1.192-2');
  t.notOk(existsSync(join(build?.source ?? '', 'kernel')));
  t.ok(existsSync(build?.sourceArchive ?? ''));
  t.match(notes(), [
    /package lists of bookworm, bookworm-updates, bookworm-security/,
    /Downloading kernel 6\.1\.0-56-amd64 \(Debian 6\.1\.192-2\), \d+ MB: image \d+, headers \d+, sources \d+; kept in/,
  ]);
  t.strictSame(apt.calls().sort().slice(0, 2), [
    'apt-cache show linux-source-6.1 linux-image-6.1*-amd64 linux-binary-6.1*-amd64 linux-modules-6.1*-amd64 linux-base-6.1*-amd64 linux-headers-6.1* linux-kbuild-6.1*',
    'apt-get download linux-headers-6.1.0-56-amd64=6.1.192-2 linux-headers-6.1.0-56-common=6.1.192-2 linux-kbuild-6.1=6.1.192-2',
  ]);
  // Nothing is left of the private apt state or of the packages.
  t.strictSame(readdirSync(join(context.store.root, 'references')).sort(), [
    '.debian-6.1.lock',
    'debian-6.1.json',
  ]);
  t.strictSame(
    readdirSync(context.store.root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.deb$|share\/doc/.test(name),
    ),
    [],
  );
});

t.test("apt neither reads nor changes the machine's lists and packages", async (t) => {
  const { apt, context } = setUp(t);
  t.ok((await resolveKernel('debian:6.1', context)).ok);
  const others = apt.wholeCalls().filter((line) => !line.includes(' indextargets '));
  for (const name of ['Dir::State', 'Dir::State::status', 'Dir::Cache', 'Dir::Etc::sourcelist']) {
    t.ok(
      others.every((line) => line.includes(` -o ${name}=${context.store.root}/`)),
      name,
    );
  }
  t.ok(others.every((line) => line.includes(' -o Dir::Etc::sourceparts=/dev/null')));
});

t.test('does not ask the mirror a second time', async (t) => {
  const { apt, context, notes } = setUp(t);
  const first = await resolveKernel('debian:6.1', context);
  const calls = apt.calls().length;
  const told = notes().length;
  apt.goAway();
  t.strictSame(await resolveKernel('debian:6.1', context), first);
  t.equal(apt.calls().length, calls);
  t.equal(notes().length, told);
});

t.test('fetches a newer version on request, and only the new parts', async (t) => {
  const { apt, context, notes } = setUp(t);
  t.ok((await resolveKernel('debian:6.1', context)).ok);
  const again = await resolveKernel('debian:6.1', context, { refresh: true });
  t.match(again, { value: { release: '6.1.0-56-amd64' } });
  t.equal(apt.calls().filter((call) => call.includes(' download ')).length, 3);
  t.equal(notes().filter((text) => text.startsWith('Downloading')).length, 1);

  apt.addVersion('57', '6.1.200-1');
  t.match(await resolveKernel('debian:6.1', context), { value: { release: '6.1.0-56-amd64' } });
  const newer = await resolveKernel('debian:6.1', context, { refresh: true });
  t.match(newer, { value: { release: '6.1.0-57-amd64' } });
  t.match(await resolveKernel('debian:6.1', context), { value: { release: '6.1.0-57-amd64' } });
});

t.test('fetches it once for two callers at the same time', async (t) => {
  const { apt, context } = setUp(t);
  const both = await Promise.all([
    resolveKernel('debian:6.1', context),
    resolveKernel('debian:6.1', context),
  ]);
  t.ok(both[0].ok);
  t.strictSame(both[0], both[1]);
  t.equal(apt.calls().filter((call) => call.includes(' download ')).length, 3);
});

t.test('fetches again what was cleaned from the cache', async (t) => {
  const { context } = setUp(t);
  const first = await resolveKernel('debian:6.1', context);
  rmSync(join(context.store.root, 'kernel-headers'), { recursive: true });
  t.strictSame(await resolveKernel('debian:6.1', context), first);
});

t.test('says that the mirror cannot be reached', async (t) => {
  const { apt, context } = setUp(t);
  apt.goAway();
  t.match(await resolveKernel('debian:6.1', context), {
    ok: false,
    failure: {
      kind: 'kernel-unavailable',
      message: /has no kernel 6\.1/,
      detail: /Failed to fetch/,
    },
  });
  t.strictSame(readdirSync(join(context.store.root, 'references')), ['.debian-6.1.lock']);
});

t.test('leaves nothing behind when a download fails', async (t) => {
  const { apt, context } = setUp(t);
  apt.beforeDownload('echo "E: No space left on device" >&2; exit 100');
  t.match(await resolveKernel('debian:6.1', context), { failure: { kind: 'storage' } });
  apt.beforeDownload('echo "E: Hash Sum mismatch" >&2; exit 100');
  t.match(await resolveKernel('debian:6.1', context), {
    failure: { kind: 'tool-failed', detail: /Hash Sum mismatch/, remedy: /mirror/ },
  });
  const left = readdirSync(context.store.root, { recursive: true, encoding: 'utf8' });
  t.strictSame(
    left.filter((name) => name.includes('/') && !name.endsWith('.lock')),
    [],
  );
  apt.beforeDownload('');
  t.ok((await resolveKernel('debian:6.1', context)).ok);
});

t.test('can be interrupted during the download', async (t) => {
  const { apt, context } = setUp(t);
  apt.beforeDownload('echo downloading >>"$top/calls"; sleep 100');
  const controller = new AbortController();
  const resolving = resolveKernel('debian:6.1', { ...context, signal: controller.signal });
  while (!apt.calls().includes('downloading')) await new Promise((done) => setTimeout(done, 20));
  controller.abort();
  t.match(await resolving, { failure: { kind: 'interrupted' } });
});

t.test('fetches the sources alone; the packaged kernel reuses them', async (t) => {
  const { apt, context, notes } = setUp(t);
  const [kernel] = readCatalogue().filter(({ version }) => version === '6.1');
  if (!kernel) return t.fail('no 6.1');
  const first = await fetchSourceArchive(kernel, context);
  if (!first.ok) return t.fail(formatFailure(first.failure));
  t.ok(existsSync(first.value.file));
  t.strictSame(
    apt.calls().filter((call) => call.includes(' download ')),
    ['apt-get download linux-source-6.1=6.1.192-2'],
  );
  t.match(notes(), [
    /package lists/,
    /^Downloading the sources of kernel 6\.1 \(Debian 6\.1\.192-2\)/,
  ]);
  apt.addVersion('57', '6.1.200-1');
  t.strictSame(await fetchSourceArchive(kernel, context), first, 'it is remembered');

  const packaged = await resolveKernel('debian:6.1', context);
  t.match(packaged, { value: { release: '6.1.0-57-amd64' } });
  const now = await fetchSourceArchive(kernel, context);
  t.equal(now.ok && now.value.file, packaged.ok && packaged.value.build?.sourceArchive);
});

/** A compiler that this machine does not have, with this machine's C library. */
function addCompiler(root: string, apt: FakeApt): string[] {
  const compiler = join(root, 'compiler');
  makeProgram(join(compiler, 'usr/bin'), 'x86_64-linux-gnu-gcc-99', 'echo gcc-99');
  copyFileSync(realpathSync('/bin/sh'), join(compiler, 'usr/bin/x86_64-linux-gnu-as'));
  apt.addPackage('gcc-99-for-host', '99.1-1', compiler);
  const libraries = join(root, 'libc', LIBRARIES);
  mkdirSync(libraries, { recursive: true });
  for (const name of ['libc.so.6', 'ld-linux-x86-64.so.2']) {
    copyFileSync(realpathSync(`/lib/x86_64-linux-gnu/${name}`), join(libraries, name));
  }
  apt.addPackage('libc6', '2.99-1', join(root, 'libc'));
  return ['gcc-99-for-host=99.1-1', 'libc6=2.99-1'];
}

t.test('brings the compiler that this machine lacks', async (t) => {
  const root = t.testdir({ apt: {} });
  const apt = makeApt(t, join(root, 'apt'));
  apt.addVersion('60', '6.1.200-1', 'gcc-99');
  const compiler = addCompiler(root, apt);
  const headers = [
    'linux-headers-6.1.0-60-amd64',
    'linux-headers-6.1.0-60-common',
    'linux-kbuild-6.1',
  ];
  apt.wouldInstall([...compiler, ...headers.map((name) => `${name}=6.1.200-1`)]);
  const { context, notes } = makeContext(root);
  const resolved = await resolveKernel('debian:6.1', context);
  if (!resolved.ok) return t.fail(formatFailure(resolved.failure));
  const path = resolved.value.build?.compiler ?? '';
  t.match(path, /\/usr\/bin\/x86_64-linux-gnu-gcc-99$/);
  t.equal(execFileSync(path, { encoding: 'utf8' }), 'gcc-99\n');
  const assembler = join(dirname(path), 'as');
  t.equal(execFileSync(assembler, ['-c', 'echo $0'], { encoding: 'utf8' }), `${assembler}\n`);
  t.ok(existsSync(join(resolved.value.build?.headers ?? '', 'Module.symvers')));
  t.match(notes(), [
    /package lists/,
    /Modules of 6\.1\.0-60-amd64 are built with Debian's gcc-99: this machine has no gcc-99 or newer/,
    /headers and gcc-99 \d+/,
  ]);
});

t.test('goes on without a compiler that cannot be had', async (t) => {
  const root = t.testdir({ apt: {} });
  const apt = makeApt(t, join(root, 'apt'));
  apt.addVersion('60', '6.1.200-1', 'gcc-99');
  const { context, notes } = makeContext(root);
  const resolved = await resolveKernel('debian:6.1', context);
  t.equal(resolved.ok && resolved.value.build?.compiler, 'gcc-99');
  t.match(notes()[2], /gcc-99 cannot be had .*: modules cannot be built for 6\.1\.0-60-amd64 here/);
});
