import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readManifest, readShellManifest } from '../../cli/guest/manifest.js';
import {
  contentsOfPackage,
  type GuestPackage,
  PACKAGES,
  packageWith,
} from '../../cli/guest/packages.js';
import { versionIn } from '../../cli/guest/tool-versions.js';
import { findProgramIn, HOST_USERLAND } from '../../cli/guest/userland.js';
import { keptPackages } from '../../cli/inputs/keep.js';
import { describeTools } from '../../cli/run/tools.js';
import { findProgram } from '../../cli/system/programs.js';
import { findInTree } from '../../cli/userland/build-tree.js';
import { chooseUserland } from '../../cli/userland/choose.js';
import { checkKeptPackages, checkPackageOption } from '../../cli/userland/package-option.js';
import { fetchSuitePackage } from '../../cli/userland/suite-package.js';
import { makeContext } from '../kernel/context.js';
import { makeApt } from '../kernel/fake-apt.js';
import { makeProgram } from '../kernel/fixtures.js';
import { makeBuildTree } from './build-tree.js';

/* Single packages of a build tree, or of a suite, in place of the userland's. */

t.test('guests get every program of a package that they had', (t) => {
  const { programs } = readManifest();
  for (const name of PACKAGES) {
    const required = Object.keys(contentsOfPackage(name).programs.required);
    for (const one of required) t.ok(programs.required.includes(one), one);
  }
  const all = [...programs.required, ...programs.optional, ...readShellManifest().programs];
  const theirs = all.filter((one) => /^(?:xfs_|mkfs\.|fsck\.|e2|resize2fs|tune2fs)/.test(one));
  for (const one of theirs) t.ok(packageWith(one), one);
  t.equal(packageWith('bash'), undefined);
  t.end();
});

t.test('the programs of a tree', (t) => {
  const tree = makeBuildTree('xfsprogs', t.testdir());
  // libtool: the program is hidden, and a script starts it.
  makeProgram(join(tree, 'io'), 'xfs_io', 'exec .libs/xfs_io "$@"');
  mkdirSync(join(tree, 'io/.libs'));
  copyFileSync(findProgram('true') ?? '', join(tree, 'io/.libs/xfs_io'));
  writeFileSync(join(tree, 'mkfs/lts_6.12.conf'), '[metadata]\n');
  rmSync(join(tree, 'copy/xfs_copy'));
  const found = findInTree('xfsprogs', tree);
  if (!found.ok) throw new Error(found.failure.message);
  const { programs, files } = found.value;
  t.equal(programs.get('xfs_io'), join(tree, 'io/.libs/xfs_io'));
  t.equal(programs.get('xfs_freeze'), join(tree, 'io/xfs_freeze.sh'));
  t.equal(programs.has('xfs_copy'), false);
  t.equal(files.get('/usr/share/xfsprogs/mkfs/lts_6.12.conf'), join(tree, 'mkfs/lts_6.12.conf'));
  rmSync(join(tree, 'repair/xfs_repair'));
  t.match(checkPackageOption('xfsprogs', tree), {
    ok: false,
    failure: {
      kind: 'usage',
      message: `${tree} is not a build of xfsprogs: it has no repair/xfs_repair`,
      remedy: /Run make/,
    },
  });
  t.end();
});

t.test('the forms of the options', (t) => {
  const tree = makeBuildTree('e2fsprogs', t.testdir());
  t.same(checkPackageOption('xfsprogs', undefined), { ok: true, value: undefined });
  t.same(checkPackageOption('e2fsprogs', tree), {
    ok: true,
    value: { type: 'tree', directory: tree },
  });
  t.same(checkPackageOption('xfsprogs', 'debian:sid=7.2.0-1'), {
    ok: true,
    value: { type: 'suite', suite: 'sid', version: '7.2.0-1' },
  });
  for (const wrong of ['', 'host', '/nowhere', 'debian:', 'debian:sid=', 'debian:sid= x', tree]) {
    t.match(checkPackageOption('xfsprogs', wrong), { failure: { kind: 'usage' } }, wrong);
  }
  t.end();
});

t.test('the name of a suite that a stranger has kept', (t) => {
  const kept = (from: string) => checkKeptPackages(keptPackages([{ name: 'xfsprogs', from }], '/'));
  t.match(kept('debian:sid=7.2.0-1'), {
    ok: true,
    value: { xfsprogs: { type: 'suite', suite: 'sid', version: '7.2.0-1', orNewest: true } },
  });
  for (const wrong of ['sid main\ndeb http://x', 'debian:../x=1', 'debian:sid=1 2', '/home/me']) {
    t.match(kept(wrong), { ok: false, failure: { kind: 'unreadable' } }, wrong);
  }
  t.end();
});

const tools = ['bsdtar', 'ldd', 'e2fsck', 'xfs_repair', 'ndctl'].some((name) => !findProgram(name));
const skip = tools && 'programs are missing';

/** The paths in the archive. */
function pathsIn({ archive }: GuestPackage): string[] {
  const listed = execFileSync('bsdtar', ['-tf', archive.file], { encoding: 'utf8' });
  return listed.split('\n').map((path) => path.replace(/^\.\//, ''));
}

t.test('a tree becomes an archive for the guest', { skip }, async (t) => {
  const tree = makeBuildTree('e2fsprogs', join(t.testdir(), 'tree'));
  // A program with a library of the tree's own.
  copyFileSync(realpathSync(findProgram('dumpe2fs') ?? ''), join(tree, 'misc/dumpe2fs'));
  mkdirSync(join(tree, 'lib'));
  const library = '/lib/x86_64-linux-gnu/libext2fs.so.2';
  copyFileSync(realpathSync(library), join(tree, 'lib/libext2fs.so.2'));
  const { context } = makeContext(t.testdirName);
  const asked = { packages: { e2fsprogs: { type: 'tree', directory: tree } } } as const;
  const chosen = await chooseUserland(asked, context);
  if (!chosen.ok) throw new Error(chosen.failure.message);
  const [own] = chosen.value.packages ?? [];
  if (!own) throw new Error('no package');
  t.match(own, { name: 'e2fsprogs', version: '9.8.7', keep: true });
  t.match(own.from, /\/tree \([0-9a-f]{12}\)$/);
  const paths = pathsIn(own);
  for (const path of ['usr/sbin/mke2fs', 'usr/sbin/mkfs.ext4', 'usr/sbin/lsattr']) {
    t.ok(paths.includes(path), path);
  }
  t.ok(paths.includes('usr/lib/x86_64-linux-gnu/libext2fs.so.2'));
  // Every guest has these already.
  t.notOk(paths.some((path) => /libc\.so|ld-linux|libblkid/.test(path)));
  t.equal(findProgramIn(chosen.value, 'mke2fs'), undefined);
  t.equal(findProgramIn(chosen.value, '/usr/sbin/mke2fs'), undefined);
  t.ok(findProgramIn(chosen.value, 'mkfs.xfs'));
  t.equal(await versionIn(chosen.value, 'e2fsck'), '9.8.7');
  t.match(await describeTools(['ext4'], chosen.value), {
    e2fsprogs: '9.8.7',
    e2fsprogsFrom: own.from,
  });

  // What was made before counts only as long as the programs are the same.
  writeFileSync(join(tree, 'e2fsck/e2fsck'), '#!/bin/sh\necho e2fsck 9.9.9\n');
  const again = await chooseUserland(asked, context);
  if (!again.ok) throw new Error(again.failure.message);
  t.match(again.value.packages, [{ version: '9.9.9' }]);
  t.not(again.value.packages?.[0]?.archive.key, own.archive.key);
});

t.test('a kept package is used as it is', async (t) => {
  const file = join(t.testdir({ 'x.cpio': 'archive' }), 'x.cpio');
  const kept = { type: 'kept', from: '/tree (0123456789ab)', version: '6.1', file } as const;
  const chosen = await chooseUserland(
    { packages: { xfsprogs: kept } },
    makeContext(t.testdirName).context,
  );
  t.match(chosen, {
    ok: true,
    value: {
      without: ['xfsprogs'],
      packages: [{ version: '6.1', from: kept.from, keep: true, archive: { file } }],
    },
  });
  if (chosen.ok) t.equal(await versionIn(chosen.value, 'xfs_repair'), '6.1');
  t.ok(findProgramIn(HOST_USERLAND, 'sh'));
});

const noDebian = findProgram('dpkg-deb') ? false : 'no dpkg-deb';

t.test('a package of a suite, and its version', { skip: noDebian }, async (t) => {
  const root = t.testdir({ apt: {}, tree: {} });
  const apt = makeApt(t, join(root, 'apt'));
  const { context, notes } = makeContext(root);
  for (const [name, version] of [
    ['xfsprogs', '7.2.0-1'],
    ['libinih1', '55-1'],
    ['libpython3.13', '3.13.1'],
    ['python3', '3.13.1'],
  ] as const) {
    makeProgram(join(root, 'tree/sbin'), `mark-${name}`, 'true');
    apt.addPackage(name, version, join(root, 'tree'));
    rmSync(join(root, 'tree'), { recursive: true });
  }
  apt.wouldInstall(['xfsprogs=7.2.0-1', 'libinih1=55-1', 'python3=3.13.1', 'libpython3.13=3.13.1']);
  const fetched = await fetchSuitePackage('xfsprogs', { suite: 'sid' }, context);
  if (!fetched.ok) throw new Error(fetched.failure.message);
  t.equal(fetched.value.version, '7.2.0-1');
  t.match(notes(), [
    /Downloading xfsprogs 7\.2\.0-1 of Debian's sid with its libraries: 2 packages/,
  ]);
  const has = (name: string) => findProgramIn(fetched.value.system, `mark-${name}`) !== undefined;
  t.same(['xfsprogs', 'libinih1', 'python3', 'libpython3.13'].map(has), [true, true, false, false]);
  const before = apt.calls().length;
  const same = { suite: 'sid', version: '7.2.0-1' };
  t.ok((await fetchSuitePackage('xfsprogs', same, context)).ok);
  t.equal(apt.calls().length, before, 'the mirror is not asked for what is there');
  t.match(await fetchSuitePackage('xfsprogs', { suite: 'sid', version: '6.0-1' }, context), {
    ok: false,
    failure: {
      kind: 'usage',
      message: "Debian's sid has no xfsprogs 6.0-1",
      remedy: /7\.2\.0-1/,
    },
  });
  const old = { type: 'suite', suite: 'sid', version: '6.0-1', orNewest: true } as const;
  await chooseUserland({ packages: { xfsprogs: old } }, context);
  t.match(notes().at(-1), /has no xfsprogs 6\.0-1; using xfsprogs of debian:sid as it is now/);
  t.match(readFileSync(join(root, 'cache/references/xfsprogs-sid.json'), 'utf8'), /7\.2\.0-1/);
});
