import t from 'tap';
import { readCatalogue } from '../../cli/kernel/catalogue.js';
import { parseSpec } from '../../cli/kernel/spec.js';
import { exitCodeOf, formatFailure } from '../../cli/outcome.js';

async function complaint(spec: string): Promise<string> {
  const parsed = await parseSpec(spec);
  return parsed.ok ? 'none' : `${exitCodeOf(parsed.failure)} ${formatFailure(parsed.failure)}`;
}

t.test('the catalogue has the kernels that it should', async (t) => {
  const kernels = await readCatalogue();
  t.strictSame(
    kernels.map(({ version }) => version),
    ['5.10', '6.1', '6.12', '7.2'],
  );
  t.strictSame(kernels.find(({ version }) => version === '7.2')?.lacksDax, ['ext2']);
});

t.test('reads every form', async (t) => {
  t.match(await parseSpec('debian:6.1'), {
    value: { type: 'debian', kernel: { version: '6.1', releases: [{ codename: 'bookworm' }] } },
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

t.test('says what would be right, also where it is nearly right', async (t) => {
  t.match(await complaint('debian:6.2'), /^2 .*"debian:6.2".*include 6\.2.*\n.*mean debian:6\.1\?/);
  t.match(await complaint('debain:6.1'), /^2 .*\n.*mean debian:6\.1\?/);
  t.match(await complaint('debian6.12'), /^2 .*\n.*mean debian:6\.12\?/);
  t.match(await complaint('6.1'), /^2 .*\n.*mean debian:6\.1\?/);
  t.match(await complaint('hots'), /^2 .*\n.*mean host\?/);
  t.match(await complaint('imgae:/boot/x'), /^2 .*\n.*mean image:\/boot\/x\?/);
  t.match(await complaint('nonsense'), /^2 .*\n.*Use debian:X\.Y, image:BZIMAGE/);
  t.notMatch(await complaint('nonsense'), /mean/);
  for (const spec of ['', 'debian:', 'debian', 'image:', 'image:a,', 'image:a,b,c', 'host:']) {
    t.match(await complaint(spec), /^2 /, spec);
  }
});

t.test('source trees are not there yet, and it says so', async (t) => {
  t.match(await complaint('src:/linux'), /^2 .*not there yet/);
  t.match(await complaint('debsrc:6.1'), /^2 .*not there yet/);
});
