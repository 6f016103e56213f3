import { join } from 'node:path';
import t from 'tap';
import { readCatalogue } from '../../cli/kernel/catalogue.js';
import { parseSpec } from '../../cli/kernel/spec.js';
import { exitCodeOf, formatFailure } from '../../cli/outcome.js';

async function complaint(spec: string): Promise<string> {
  const parsed = await parseSpec(spec);
  return parsed.ok ? 'none' : `${exitCodeOf(parsed.failure)} ${formatFailure(parsed.failure)}`;
}

t.test('has the expected kernels in the catalogue', async (t) => {
  const kernels = readCatalogue();
  t.strictSame(
    kernels.map(({ version }) => version),
    ['5.10', '6.1', '6.12', '7.2'],
  );
  t.strictSame(kernels.find(({ version }) => version === '7.2')?.lacksDax, ['ext2']);
});

t.test('parses every form', async (t) => {
  t.match(await parseSpec('debian:6.1'), {
    value: { type: 'debian', kernel: { version: '6.1', releases: [{ codename: 'bookworm' }] } },
  });
  t.match(await parseSpec('debian:7.3'), {
    value: { type: 'debian', kernel: { version: '7.3', search: true, lacksDax: ['ext2'] } },
  });
  t.match(await parseSpec('debian:sid'), {
    value: {
      type: 'debian',
      kernel: { version: '', suite: 'sid', releases: [{ suites: ['sid'] }] },
    },
  });
  t.match(await parseSpec('debsrc:7.2=7.2.12-1~bpo13+1'), {
    value: { type: 'debsrc', kernel: { version: '7.2', pin: '7.2.12-1~bpo13+1', search: true } },
  });
  t.match(await parseSpec('host'), { value: { type: 'host' } });
  t.strictSame(await parseSpec('image:a:b'), {
    ok: true,
    value: { type: 'image', image: 'a:b' },
  });
  t.strictSame(await parseSpec('image:/boot/vmlinuz,/lib/modules'), {
    ok: true,
    value: { type: 'image', image: '/boot/vmlinuz', modules: '/lib/modules' },
  });
});

t.test('suggests the right form, also for near misses', async (t) => {
  t.match(
    await complaint('debian:6_2'),
    /^2 .*"debian:6_2".*neither.*\n.*debian:6\.1,.*debian:sid/,
  );
  t.match(await complaint('debian:6.1='), /^2 .*neither X\.Y, X\.Y=VERSION nor a suite/);
  t.match(await complaint('debian:sid=6.1.1-1'), /^2 .*neither/);
  t.match(await complaint('debain:6.1'), /^2 .*\n.*mean debian:6\.1\?/);
  t.match(await complaint('debian6.12'), /^2 .*\n.*mean debian:6\.12\?/);
  t.match(await complaint('6.1'), /^2 .*\n.*mean debian:6\.1\?/);
  t.match(await complaint('hots'), /^2 .*\n.*mean host\?/);
  t.match(await complaint('imgae:/boot/x'), /^2 .*\n.*mean image:\/boot\/x\?/);
  t.match(
    await complaint('nonsense'),
    /^2 .*\n.*Use debian:X\.Y or debian:SUITE, debsrc:X\.Y, src:DIR/,
  );
  t.notMatch(await complaint('nonsense'), /mean/);
  for (const spec of [
    '',
    'debian:',
    'debian',
    'image:',
    'image:a,',
    'image:a,b,c',
    'host:',
    'debian:SID',
  ]) {
    t.match(await complaint(spec), /^2 /, spec);
  }
});

t.test('parses source trees by directory and revision, and rejects others', async (t) => {
  const root = t.testdir({
    linux: {
      Makefile: 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n',
      fs: { ext2: {} },
      'odd@name': { Makefile: 'VERSION = 6\nPATCHLEVEL = 2\n' },
    },
    other: { Makefile: 'all:\n' },
    file: '',
    link: t.fixture('symlink', 'linux'),
  });
  const parsed = async (spec: string) => {
    const outcome = await parseSpec(spec);
    return outcome.ok ? outcome.value : formatFailure(outcome.failure);
  };
  const directory = join(root, 'linux');
  t.strictSame(await parsed(`src:${directory}`), { type: 'src', directory });
  t.strictSame(await parsed(`src:${root}/link`), { type: 'src', directory: join(root, 'link') });
  t.strictSame(await parsed(`src:${directory}@v6.1`), { type: 'src', directory, revision: 'v6.1' });
  t.strictSame(
    await parsed(`src:${directory}@master@{1}`),
    `daxrepro: Cannot use the kernel "src:${directory}@master@{1}": ${directory}@master does not exist.\n  Give the top directory of a kernel tree.`,
  );
  t.match(await parsed(`src:${directory}/odd@name`), { directory: `${directory}/odd@name` });
  t.match(await parsed('debsrc:6.1'), { type: 'debsrc', kernel: { version: '6.1' } });

  t.match(await complaint(`src:${directory}/fs/ext2`), /^2 .*no kernel Makefile.\n.*src:.*linux/);
  t.match(await complaint(`src:${root}/other`), /^2 .*no kernel Makefile/);
  t.match(await complaint(`src:${root}/file`), /^2 .*is not a directory/);
  t.match(await complaint(`src:${root}/none`), /^2 .*does not exist/);
  for (const spec of ['src:', `src:${directory}@`, 'debsrc:', 'debsrc:6.', 'src']) {
    t.match(await complaint(spec), /^2 /, spec);
  }
  t.match(await complaint('debscr:6.1'), /mean debsrc:6\.1\?/);
});
