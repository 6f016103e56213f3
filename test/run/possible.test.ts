import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { AcceleratorChoice } from '../../cli/guest/accelerator.js';
import { exitCodeOf, formatFailure } from '../../cli/outcome.js';
import { checkDeviceMapper, checkPossible, type PossibleRequest } from '../../cli/run/possible.js';
import { BASE } from '../../cli/variant/variant.js';
import { makeContext } from '../kernel/context.js';
import { makeBzImage, makeElf, PVH_NOTE, writeTree } from '../kernel/fixtures.js';

const REQUEST: PossibleRequest = {
  fs: 'ext2',
  kernel: 'debian:7.2',
  pmem: 'memmap',
  control: false,
  variant: BASE,
};

/** 'possible', or the exit code and the message. */
async function answer(
  t: Test,
  requests: Partial<PossibleRequest>[],
  accelerator: AcceleratorChoice = 'auto',
): Promise<string> {
  const { context } = makeContext(t.testdirName);
  const all = requests.map((one) => ({ ...REQUEST, ...one }));
  const outcome = await checkPossible(all, accelerator, context);
  if (outcome.ok) return 'possible';
  return `${exitCodeOf(outcome.failure)} ${formatFailure(outcome.failure)}`;
}

const REMOVED =
  /^2 .*ext2 has no DAX on .*"DAX support has been removed\. dax option ignored"\.\n.*debian:6\.12.*--control/;

t.test('DAX of ext2 on kernels that have removed it', async (t) => {
  t.testdir({});
  for (const kernel of ['debian:7.2', 'debsrc:7.2']) {
    t.match(await answer(t, [{ kernel }]), REMOVED, kernel);
    t.equal(await answer(t, [{ kernel, control: true, pmem: 'none' }]), 'possible');
    t.equal(await answer(t, [{ kernel, fs: 'ext4' }]), 'possible');
  }
  t.equal(await answer(t, [{ kernel: 'debian:6.12' }]), 'possible');
  t.match(await answer(t, [{ kernel: 'debian:6.12', fs: 'ext4' }, {}]), REMOVED, 'one of several');
});

t.test('a stack needs dmsetup on the machine whose programs the guest has', async (t) => {
  const bin = t.testdir({ none: {}, some: { dmsetup: '#!/bin/sh\n' } });
  chmodSync(join(bin, 'some/dmsetup'), 0o755);
  for (const [directory, request, possible] of [
    ['none', { stack: 'linear' }, false],
    ['none', { stack: 'linear', userland: 'host' }, false],
    ['none', { stack: 'linear', userland: 'debian:sid' }, true],
    ['none', {}, true],
    ['some', { stack: 'linear' }, true],
  ] as const) {
    const checked = checkDeviceMapper(request, join(bin, directory));
    t.equal(checked.ok, possible, `${directory} ${JSON.stringify(request)}`);
    if (checked.ok) continue;
    t.match(
      formatFailure(checked.failure),
      /--stack needs the program dmsetup.*\n.*package dmsetup/,
    );
    t.equal(exitCodeOf(checked.failure), 2);
  }
});

t.test('CXL memory on packaged kernels that are too old for it', async (t) => {
  t.testdir({});
  const cxl = { fs: 'ext4', pmem: 'cxl' } as const;
  for (const kernel of ['debian:5.10', 'debsrc:5.10']) {
    t.match(
      await answer(t, [{ ...cxl, kernel }]),
      /^2 .*CONFIG_CXL_REGION.*\n.*debian:6\.1/,
      kernel,
    );
    t.equal(await answer(t, [{ fs: 'ext4', kernel }]), 'possible');
  }
  for (const kernel of ['debian:6.1', 'debian:6.12', 'debian:7.2']) {
    t.equal(await answer(t, [{ ...cxl, kernel }]), 'possible', kernel);
  }
});

t.test('a change can restore the DAX code', async (t) => {
  const top = t.testdir({
    'restore.patch': '+++ b/fs/ext2/inode.c\n+	if (test_opt(sb, DAX))\n+		flags |= S_DAX;\n',
    'other.patch': '+++ b/fs/ext2/inode.c\n-	flags |= S_DAX;\n+	flags = 0;\n',
  });
  const variant = (file: string) => ({ name: 'v', changes: [join(top, file)] });
  t.equal(await answer(t, [{ variant: variant('restore.patch') }]), 'possible');
  t.match(await answer(t, [{ variant: variant('other.patch') }]), REMOVED);
});

t.test('source trees: by the code, not by the version', async (t) => {
  const makefile = (minor: number) => `VERSION = 7\nPATCHLEVEL = ${minor}\nSUBLEVEL = 0\n`;
  const top = t.testdir({
    removed: { Makefile: makefile(1), fs: { ext2: { 'super.c': 'int dax_option_ignored;\n' } } },
    kept: { Makefile: makefile(2), fs: { ext2: { 'super.c': 'flags |= S_DAX;\n' } } },
    sparse: { Makefile: makefile(2) },
  });
  t.match(await answer(t, [{ kernel: `src:${top}/removed` }]), REMOVED);
  t.match(await answer(t, [{ kernel: `src:${top}/removed` }]), /\(7\.1\.0\)/);
  t.equal(await answer(t, [{ kernel: `src:${top}/kept` }]), 'possible');
  t.equal(await answer(t, [{ kernel: `src:${top}/sparse` }]), 'possible', 'nothing is known');

  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...argv], {
      cwd: join(top, 'kept'),
    });
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'with DAX');
  git('tag', 'before');
  writeFileSync(join(top, 'kept/fs/ext2/super.c'), 'int dax_option_ignored;\n');
  git('commit', '-q', '-a', '-m', 'without');
  t.equal(await answer(t, [{ kernel: `src:${top}/kept@before` }]), 'possible');
  t.match(await answer(t, [{ kernel: `src:${top}/kept@HEAD` }]), REMOVED);
  t.equal(await answer(t, [{ kernel: `src:${top}/kept@nothing` }]), 'possible', 'said later');
});

t.test('an image without the drivers that a guest needs', async (t) => {
  const top = t.testdir({});
  const image = (name: string, strings: string[]) => {
    const vmlinux = makeElf([PVH_NOTE], `\0${strings.join('\0')}\0`);
    writeFileSync(join(top, name), makeBzImage('6.1.0-own', gzipSync(vmlinux)));
    return `image:${join(top, name)}`;
  };
  const console = ['virtio-pci', 'virtio_console'];
  const kernel = image('bare', console);
  const ext4 = { fs: 'ext4', kernel } as const;
  t.match(
    await answer(t, [ext4]),
    /^2 .*image:.*bare is an image without modules, and does not have built in: nd_pmem, ext4\.\n.*--kernel image:.*bare,MODULES-DIR, .*6\.1\.0-own/,
  );
  t.match(await answer(t, [{ ...ext4, pmem: 'nvdimm' }]), /built in: nfit, nd_pmem, ext4/);
  t.match(await answer(t, [{ ...ext4, pmem: 'virtio-pmem' }]), /: virtio_pmem, nd_pmem, ext4/);

  const whole = image('whole', [...console, 'nd_pmem', 'ext4']);
  t.equal(await answer(t, [{ fs: 'ext4', kernel: whole }]), 'possible', 'all is built in');
  t.match(
    await answer(t, [{ fs: 'ext4', kernel: whole, pmem: 'none', control: true }]),
    /: virtio_blk\./,
  );

  const modules = join(top, 'lib/modules/6.1.0-own');
  mkdirSync(modules, { recursive: true });
  writeTree(modules, {
    'modules.dep': 'kernel/nd_pmem.ko.xz:\nkernel/fs/ext4.ko:\n',
    'modules.builtin': 'kernel/drivers/virtio_blk.ko\n',
    'kernel/nd_pmem.ko.xz': '',
  });
  const both = `${kernel},${modules}`;
  t.equal(await answer(t, [{ fs: 'ext4', kernel: both }]), 'possible');
  t.equal(await answer(t, [{ fs: 'ext4', kernel: both, pmem: 'none' }]), 'possible');
  t.match(await answer(t, [{ fs: 'xfs', kernel: both }]), /neither built in nor among .*: xfs\./);
});

t.test('an image that cannot be read is left to the boot', async (t) => {
  const top = t.testdir({ bzImage: makeBzImage('6.1.0', Buffer.from('unknown way to pack')) });
  t.equal(await answer(t, [{ fs: 'ext4', kernel: `image:${top}/bzImage` }]), 'possible');
});

t.test('changes to a kernel without sources', async (t) => {
  const top = t.testdir({ bzImage: makeBzImage('6.1.0', Buffer.from('x')), 'a.patch': '' });
  const variant = { name: 'v2', changes: [join(top, 'a.patch')] };
  t.match(
    await answer(t, [{ fs: 'ext4', kernel: `image:${top}/bzImage`, variant }]),
    /^2 .*no sources to change for image:.*v2 cannot be built/,
  );
});
