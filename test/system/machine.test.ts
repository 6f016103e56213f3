import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { kvmDevice } from '../../cli/system/kvm.js';
import {
  cachedKernels,
  describePlace,
  mountOptions,
  parentDeathWorks,
} from '../../cli/system/machine.js';
import { findVersion } from '../../cli/system/versions.js';

t.test("finds the version in a program's output", async (t) => {
  const said: [string, string | undefined][] = [
    ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c) 2003', '7.2.22'],
    ['e2fsck 1.47.0 (5-Feb-2023)\n\tUsing EXT2FS Library version 1.47.0', '1.47.0'],
    ['kmod version 30\n+ZSTD +XZ', '30'],
    ['*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***', '1.5.4'],
    ['GNU ld (GNU Binutils for Debian) 2.40', '2.40'],
    ['gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0', '12.2.0'],
    ['mkfs.xfs version 6.1.0', '6.1.0'],
    ['nothing', undefined],
  ];
  for (const [text, version] of said) t.equal(findVersion(text), version, text);
});

t.test('finds the mount of a directory', async (t) => {
  const mountinfo = `21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:26 / /tmp rw,nosuid,noexec - tmpfs tmpfs rw
31 21 0:27 / /with\\040space ro - tmpfs tmpfs rw`;
  t.same(mountOptions(mountinfo, '/tmpfiles'), ['rw', 'relatime']);
  t.same(mountOptions(mountinfo, '/tmp/a'), ['rw', 'nosuid', 'noexec']);
  t.same(mountOptions(mountinfo, '/with space'), ['ro']);
});

t.test('judges a missing directory by its closest parent', async (t) => {
  const top = t.testdir({});
  const place = await describePlace(join(top, 'a/b'));
  t.equal(place.directory, join(top, 'a/b'));
  t.ok(place.writable);
  t.ok(place.free > 0);
});

t.test('lists the kernels in the cache', async (t) => {
  const image = (release: string) => ({ lib: { modules: { [release]: {} } } });
  const top = t.testdir({
    'kernel-image': { a: image('6.12.1'), b: image('6.1.0'), '.c.making': image('5.10.0') },
  });
  t.same(await cachedKernels(top), ['6.1.0', '6.12.1']);
  t.same(await cachedKernels(join(top, 'none')), []);
});

t.test('kills children with their parent', async (t) => {
  t.equal(await parentDeathWorks(), true);
  // A setpriv that starts the program and sets nothing.
  const top = t.testdir({ setpriv: '#!/bin/sh\nshift 3\nexec "$@"\n' });
  chmodSync(join(top, 'setpriv'), 0o755);
  t.equal(await parentDeathWorks(`${top}:/usr/bin:/bin`), false);
  t.equal(await parentDeathWorks(join(top, 'nothing')), false, 'without a shell');
});

t.test('describes the KVM device', async (t) => {
  const top = t.testdir({ device: '', group: 'root:x:0:\nkvm:x:106:me\n', directory: {} });
  t.same(await kvmDevice(join(top, 'none')), { state: 'absent' });
  t.same(await kvmDevice(join(top, 'device')), { state: 'opens' });
  t.match(await kvmDevice(join(top, 'directory')), { state: 'broken', reason: 'EISDIR' });
});
