import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { FileSystemModule } from '../../cli/kernel/file-system-module.js';
import type { Kernel } from '../../cli/kernel/kernel.js';
import { gdbHelp, gdbPlace } from '../../cli/shell/gdb.js';

const KERNEL: Kernel = {
  spec: 'debian:6.1',
  release: '6.1.0-none-amd64',
  id: '0'.repeat(32),
  image: '/boot/vmlinuz',
  bootImage: '/boot/vmlinux',
};

const MODULE: FileSystemModule = {
  name: 'ext2',
  file: '/cache/ext2.ko',
  sha256: '',
  buildId: '',
  origin: 'built',
  dependencies: [],
};

const symbols = (sections: string) => ({
  event: 'symbols' as const,
  module: 'ext2',
  sections,
  kernelText: '',
});

t.test('makes a private socket directory, and removes it', async (t) => {
  const place = await gdbPlace(true);
  if (!place.ok || !('path' in place.value.address)) throw new Error('no socket');
  const directory = dirname(place.value.address.path);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  await place.value.close();
  t.notOk(existsSync(directory));
});

t.test('accepts only a free port or a new path', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  t.match(await gdbPlace(String(port)), { ok: false, failure: { message: /free/ } });
  await new Promise((resolve) => server.close(resolve));
  t.match(await gdbPlace(String(port)), { ok: true, value: { address: { port } } });
  // The length of a socket's path is limited.
  const directory = mkdtempSync(join(tmpdir(), 'daxrepro-test-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'taken'), '');
  t.match(await gdbPlace(`${directory}/s`), { ok: true, value: { address: { path: /s$/ } } });
  for (const where of ['0', '70000', 'ext2', `${directory}/taken`, `${directory}/none/s`]) {
    t.match(await gdbPlace(where), { ok: false, failure: { kind: 'usage' } }, where);
  }
  t.match(await gdbPlace(`/tmp/${'x'.repeat(200)}`), { ok: false });
});

t.test('prints the commands for gdb', async (t) => {
  const place = { address: { path: '/run/user/0/daxrepro-a/gdb' }, close: async () => {} };
  const told = symbols(
    '.init.text=0x0 .text=0xffffffffc02e0000 .data=0xffffffffc02eb0c0 .x=rubbish',
  );
  t.same(gdbHelp(place, KERNEL, MODULE, told), {
    command: "gdb -ex 'target remote /run/user/0/daxrepro-a/gdb'",
    notes: [
      'the package has no kernel symbols; linux-image-6.1.0-none-amd64-dbg has them, as /usr/lib/debug/boot/vmlinux-6.1.0-none-amd64',
    ],
    module: 'add-symbol-file /cache/ext2.ko 0xffffffffc02e0000 -s .data 0xffffffffc02eb0c0',
  });
  const file = `${t.testdir({ vmlinux: '' })}/vmlinux`;
  const built = { ...KERNEL, spec: 'src:/linux', symbols: file };
  t.same(gdbHelp({ ...place, address: { port: 1234 } }, built, undefined, undefined), {
    command: `gdb -ex 'target remote 127.0.0.1:1234' ${file}`,
    notes: [],
    module: undefined,
  });
});

t.test('ignores hidden and invalid addresses of a guest', async (t) => {
  const place = { address: { port: 1 }, close: async () => {} };
  for (const sections of ['', '.text=0x0', '.text=0x1;shell', '.data=0x1', '.text=\x1b[31m']) {
    t.equal(gdbHelp(place, KERNEL, MODULE, symbols(sections)).module, undefined, sections);
  }
});
