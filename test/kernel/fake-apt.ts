import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';
import { prependPath } from './context.js';
import {
  linesOf,
  makeBzImage,
  makeModule,
  makeProgram,
  makeVmlinux,
  writeTree,
} from './fixtures.js';

/**
 * A Debian mirror in a folder: real packages, made with dpkg-deb. Its apt-get and apt-cache come
 * first in PATH, know nothing else, and record their calls.
 */
export interface FakeApt {
  /** The calls of apt-get and apt-cache, without their options. */
  calls(): string[];
  /** The last call, with its options. */
  wholeCalls(): string[];
  /** @param compiler `gcc-12` by default */
  addVersion(abi: string, version: string, compiler?: string): void;
  /** @param tree a directory with the package's files; gets a DEBIAN directory */
  addPackage(name: string, version: string, tree: string, depends?: string): void;
  /** What a simulated installation chooses: `libc6=2.36-9`. */
  wouldInstall(packages: readonly string[]): void;
  /** Makes the mirror unreachable from now on. */
  goAway(): void;
  /** A shell script that apt-get runs before it downloads. */
  beforeDownload(script: string): void;
}

const APT_GET = `
echo "apt-get $*" >>"$top/calls"
case " $* " in
  *' indextargets '*) cat "$top/targets" ;;
  *' update '*)
    [ -e "$top/away" ] || exit 0
    echo 'W: Failed to fetch http://mirror.test/debian/dists/bookworm/InRelease' >&2 ;;
  *' install '*) [ -e "$top/closure" ] && cat "$top/closure" ;;
  *' download '*)
    . "$top/before-download"
    for word; do case $word in [a-z]*=*) cp "$top/pool/$word" "./\${word%%=*}.deb" || exit 100 ;; esac; done ;;
esac`;

const APT_CACHE = `
echo "apt-cache $*" >>"$top/calls"
[ -e "$top/away" ] || cat "$top/records"`;

export function makeApt(t: Test, top: string): FakeApt {
  const calls = join(top, 'calls');
  writeTree(top, {
    records: '',
    targets: 'http://mirror.test/debian/\tbookworm\tmain\t/none/sources.list:1\n',
    'before-download': '',
  });
  makeProgram(join(top, 'bin'), 'apt-get', `top='${top}'${APT_GET}`);
  makeProgram(join(top, 'bin'), 'apt-cache', `top='${top}'${APT_CACHE}`);
  prependPath(t, join(top, 'bin'));
  mkdirSync(join(top, 'pool'));
  return {
    calls: () =>
      linesOf(calls).map((line) =>
        line.replace(/ -q -c \S+( -o \S+)*/, '').replace(/ --no-release-info.*/, ''),
      ),
    wholeCalls: () => linesOf(calls),
    wouldInstall: (packages) =>
      writeFileSync(
        join(top, 'closure'),
        packages.map((one) => `Inst ${one.replace('=', ' (')} Debian:unstable [amd64])\n`).join(''),
      ),
    goAway: () => writeFileSync(join(top, 'away'), ''),
    beforeDownload: (script) => writeFileSync(join(top, 'before-download'), script),
    addVersion: (...what) => addVersion(top, ...what),
    addPackage: (...what) => addPackage(top, ...what),
  };
}

function addVersion(top: string, abi: string, version: string, compiler = 'gcc-12'): void {
  const release = `6.1.0-${abi}-amd64`;
  const common = `linux-headers-6.1.0-${abi}-common`;
  const image = join(top, 'image');
  writeTree(image, {
    [`boot/vmlinuz-${release}`]: makeBzImage(release, gzipSync(makeVmlinux(release))),
    [`usr/share/doc/x`]: 'documentation',
  });
  makeModule(join(image, 'lib/modules', release, 'kernel/fs/ext4/ext4.ko'), { name: 'ext4' });
  addPackage(top, `linux-image-${release}`, version, image);

  const specific = join(top, 'specific');
  writeTree(join(specific, `usr/src/linux-headers-${release}`), {
    Makefile: `include /usr/src/${common}/Makefile\n`,
    '.config': `CONFIG_CC_VERSION_TEXT="${compiler} (Debian) 12.2.0"\nCONFIG_FS_DAX=y\n`,
    'Module.symvers': '',
  });
  const needs = `${compiler}-for-host, ${common} (= ${version}), linux-kbuild-6.1 (>= ${version})`;
  addPackage(top, `linux-headers-${release}`, version, specific, needs);
  const shared = join(top, 'shared');
  writeTree(shared, { [`usr/src/${common}/Makefile`]: 'modules:\n' });
  addPackage(top, common, version, shared);
  const kbuild = join(top, 'kbuild');
  writeTree(kbuild, { 'usr/lib/linux-kbuild-6.1/scripts/x': '' });
  addPackage(top, 'linux-kbuild-6.1', version, kbuild, 'libc6 (>= 2.17)');

  const sources = join(top, 'sources');
  writeTree(sources, {
    'linux-source-6.1/fs/ext2/inode.c': `/* ${version} */\n`,
    'linux-source-6.1/kernel/sched.c': '',
  });
  const source = join(top, 'source');
  mkdirSync(join(source, 'usr/src'), { recursive: true });
  const archive = join(source, 'usr/src/linux-source-6.1.tar.xz');
  execFileSync('tar', ['-cJf', archive, '-C', sources, 'linux-source-6.1']);
  addPackage(top, 'linux-source-6.1', version, source);
  for (const made of [image, specific, shared, kbuild, sources, source]) {
    rmSync(made, { recursive: true, force: true });
  }
}

function addPackage(top: string, name: string, version: string, tree: string, depends = ''): void {
  const fields = `Package: ${name}\nVersion: ${version}\n${depends ? `Depends: ${depends}\n` : ''}`;
  writeTree(tree, {
    'DEBIAN/control': `${fields}Architecture: amd64\nMaintainer: nobody <n@test>\nDescription: test\n`,
  });
  const file = join(top, 'pool', `${name}=${version}`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z0', '-b', tree, file]);
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  const record = `${fields}Size: ${statSync(file).size}\nSHA256: ${sha256}\n\n`;
  // Newest first, like apt.
  writeFileSync(join(top, 'records'), record + readFileSync(join(top, 'records'), 'utf8'));
}
