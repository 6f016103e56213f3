import t from 'tap';
import type { PackageRecord } from '../../cli/debian/apt.js';
import { completeSets, libcSuffices, newestImage, seriesOf } from '../../cli/kernel/packages.js';

function record(name: string, version: string, depends = ''): PackageRecord {
  return { name, version, depends, size: 1, sha256: `${name} ${version}` };
}

/** All packages of one version, as bookworm has them. */
function version(abi: string, version: string): PackageRecord[] {
  return [
    record('linux-source-6.1', version),
    record(`linux-image-6.1.0-${abi}-amd64`, version),
    record(`linux-image-6.1.0-${abi}-cloud-amd64`, version),
    record(`linux-image-6.1.0-${abi}-rt-amd64`, version),
    record(`linux-image-6.1.0-${abi}-amd64-dbg`, version),
    record(
      `linux-headers-6.1.0-${abi}-amd64`,
      version,
      `linux-headers-6.1.0-${abi}-common (= ${version}), linux-kbuild-6.1 (>= ${version}), linux-compiler-gcc-12-x86`,
    ),
    record(`linux-headers-6.1.0-${abi}-common`, version),
    record('linux-kbuild-6.1', version, 'libc6 (>= 2.34), libelf1 (>= 0.142)'),
  ];
}

const without = (records: PackageRecord[], name: string) =>
  records.filter((one) => one.name !== name);

t.test('takes every package of one version, newest first', async (t) => {
  const sets = completeSets('6.1', [...version('56', '6.1.192-2'), ...version('50', '6.1.176-1')]);
  t.match(sets, [
    {
      version: '6.1.192-2',
      release: '6.1.0-56-amd64',
      libc: '2.34',
      image: [{ name: 'linux-image-6.1.0-56-amd64' }],
      source: { name: 'linux-source-6.1', version: '6.1.192-2' },
    },
    { version: '6.1.176-1' },
  ]);
  t.strictSame(
    sets[0]?.headers.map(({ name, version }) => `${name} ${version}`),
    [
      'linux-headers-6.1.0-56-amd64 6.1.192-2',
      'linux-headers-6.1.0-56-common 6.1.192-2',
      'linux-kbuild-6.1 6.1.192-2',
    ],
  );
});

t.test('skips an incomplete version', async (t) => {
  const older = version('50', '6.1.176-1');
  for (const missing of [
    'linux-image-6.1.0-56-amd64',
    'linux-headers-6.1.0-56-amd64',
    'linux-headers-6.1.0-56-common',
    'linux-kbuild-6.1',
    'linux-source-6.1',
  ]) {
    const sets = completeSets('6.1', [...without(version('56', '6.1.192-2'), missing), ...older]);
    t.strictSame(
      sets.map(({ version }) => version),
      ['6.1.176-1'],
      missing,
    );
  }
});

t.test('knows the package names of newer releases, and skips metapackages', async (t) => {
  const v = '6.12.90-2~bpo12+1';
  const sets = completeSets('6.12', [
    record('linux-source-6.12', v),
    record('linux-image-6.12-amd64', v),
    record('linux-image-6.12.90+deb12.1-cloud-amd64', v),
    record('linux-image-6.12.90+deb12.1-amd64', v),
    record(
      'linux-headers-6.12.90+deb12.1-amd64',
      v,
      `linux-base, linux-headers-6.12.90+deb12.1-common (= ${v}), linux-image-6.12.90+deb12.1-amd64 (= ${v}) | linux-image-6.12.90+deb12.1-amd64-unsigned (= ${v}), linux-kbuild-6.12.90+deb12.1, gcc-12`,
    ),
    record('linux-headers-6.12.90+deb12.1-common', v),
    record('linux-kbuild-6.12.90+deb12.1', v, 'libc6 (>= 2.34)'),
  ]);
  t.strictSame(
    sets.map(({ release }) => release),
    ['6.12.90+deb12.1-amd64'],
  );
});

t.test('needs every package of an image that is split', async (t) => {
  const [v, release] = ['7.2.13-1', '7.2.13+deb14-amd64'];
  const parts = ['base', 'binary', 'modules'].map((part) => `linux-${part}-${release}`);
  const records = [
    record('linux-source-7.2', v),
    record(
      `linux-image-${release}`,
      v,
      `dracut | linux-initramfs-tool, ${parts.map((name) => `${name} (= ${v})`).join(', ')}`,
    ),
    ...parts.map((name) => record(name, v)),
    record(
      `linux-headers-${release}`,
      v,
      'linux-headers-7.2.13+deb14-common (= 7.2.13-1), linux-kbuild-7.2.13+deb14',
    ),
    record('linux-headers-7.2.13+deb14-common', v),
    record('linux-kbuild-7.2.13+deb14', v),
  ];
  t.strictSame(
    completeSets('7.2', records)[0]?.image.map(({ name }) => name),
    ['image', 'binary', 'modules', 'base'].map((part) => `linux-${part}-${release}`),
  );
  for (const name of parts) t.strictSame(completeSets('7.2', without(records, name)), [], name);
});

t.test('does not confuse a series with another of the same prefix', async (t) => {
  t.strictSame(completeSets('6.1', [record('linux-source-6.12', '6.12.1-1')]), []);
});

t.test('compares versions of the C library by number', async (t) => {
  t.ok(libcSuffices('2.34', '2.36'));
  t.ok(libcSuffices('2.36', '2.36'));
  t.ok(libcSuffices('2.4', '2.36'));
  t.notOk(libcSuffices('2.38', '2.36'));
  t.ok(libcSuffices(undefined, '2.36'));
  t.ok(libcSuffices('2.38', undefined));
});

t.test('a release candidate has no patch level, and depends on its parts', async (t) => {
  const rc = '7.3~rc7-1~exp1';
  const parts =
    'linux-base-7.3-amd64 (= 7), linux-binary-7.3-amd64 (= 7), linux-modules-7.3-amd64 (= 7)';
  const headers = 'linux-headers-7.3-common (= 7), linux-kbuild-7.3 (>= 7)';
  const records = [
    record('linux-source-7.3', rc),
    record('linux-image-7.3-amd64', rc, parts),
    record('linux-base-7.3-amd64', rc),
    record('linux-binary-7.3-amd64', rc),
    record('linux-modules-7.3-amd64', rc),
    record('linux-headers-7.3-amd64', rc, headers),
    record('linux-headers-7.3-common', rc),
    record('linux-kbuild-7.3', rc, 'libc6 (>= 2.38)'),
  ];
  t.match(completeSets('7.3', records), [{ version: rc, release: '7.3-amd64', libc: '2.38' }]);
  t.match(newestImage('7.3', records), { version: rc });
  t.strictSame(
    seriesOf([...records, record('linux-source-6.12', '1'), record('linux-source', '1')]),
    ['7.3', '6.12'],
  );
  t.equal(newestImage('7.2', records), undefined);
});
