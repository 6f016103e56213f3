import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { settleDebian } from '../../cli/kernel/debian-search.js';
import { resolveKernel } from '../../cli/kernel/resolve.js';
import { parseSpec } from '../../cli/kernel/spec.js';
import { formatFailure } from '../../cli/outcome.js';
import { makeContext } from './context.js';
import { makeApt } from './fake-apt.js';

function setUp(t: import('tap').Test) {
  const root = t.testdir({ apt: {}, empty: {} });
  const apt = makeApt(t, join(root, 'apt'));
  apt.addVersion('50', '6.1.176-1');
  apt.addVersion('56', '6.1.192-2');
  const context = makeContext(root);
  const resolve = async (spec: string, options = {}) => {
    const kernel = await resolveKernel(spec, context.context, options);
    if (!kernel.ok) return formatFailure(kernel.failure);
    const { release, packageVersion } = kernel.value;
    return `${kernel.value.spec} ${release} ${packageVersion}`;
  };
  /** An image, of which the other packages are not there yet. */
  const addImage = (name: string, version: string) => {
    mkdirSync(join(root, 'empty', name));
    apt.addPackage(name, version, join(root, 'empty', name));
  };
  return { apt, resolve, addImage, updates: () => updates(apt.calls()), ...context };
}

const updates = (calls: string[]) => calls.filter((call) => call.includes(' update')).length;

t.test('a suite stands for its newest whole kernel, until it is asked again', async (t) => {
  const { apt, resolve, updates, notes } = setUp(t);
  t.equal(await resolve('debian:bookworm'), 'debian:bookworm 6.1.0-56-amd64 6.1.192-2');
  t.match(
    notes()[0],
    /for its newest kernel: package lists of bookworm, bookworm-updates, bookworm-sec/,
  );
  const asked = updates();
  apt.addVersion('57', '6.1.200-1');
  t.equal(await resolve('debian:bookworm'), 'debian:bookworm 6.1.0-56-amd64 6.1.192-2');
  t.equal(updates(), asked, 'nobody is asked the second time');
  t.equal(
    await resolve('debian:bookworm', { refresh: true }),
    'debian:bookworm 6.1.0-57-amd64 6.1.200-1',
  );
});

t.test('sources that lag behind the image: a version that is whole, and a note', async (t) => {
  const { resolve, addImage, notes } = setUp(t);
  addImage('linux-image-6.1.0-60-amd64', '6.1.203-1');
  t.equal(await resolve('debian:sid'), 'debian:sid 6.1.0-56-amd64 6.1.192-2');
  t.match(
    notes().find((text) => text.includes('newest image')),
    /newest image of 6\.1 is 6\.1\.203-1, but .*: using 6\.1\.192-2, which is complete/,
  );
});

t.test('a pinned version', async (t) => {
  const { resolve, updates } = setUp(t);
  t.equal(await resolve('debian:6.1=6.1.176-1'), 'debian:6.1=6.1.176-1 6.1.0-50-amd64 6.1.176-1');
  t.equal(await resolve('debian:6.1'), 'debian:6.1 6.1.0-56-amd64 6.1.192-2', 'is no other’s');
  const asked = updates();
  t.equal(await resolve('debian:6.1=6.1.192-2'), 'debian:6.1=6.1.192-2 6.1.0-56-amd64 6.1.192-2');
  t.equal(updates(), asked, 'that version is there already');
  t.match(
    await resolve('debian:6.1=6.1.1-1'),
    /no kernel 6\.1 in version 6\.1\.1-1\.\n.*debian:6\.1=6\.1\.192-2, debian:6\.1=6\.1\.176-1/s,
  );
});

t.test('a series that the catalogue does not have', async (t) => {
  const { apt, context, resolve } = setUp(t);
  const spec = await parseSpec('debian:6.2');
  if (!spec.ok || spec.value.type !== 'debian') return t.fail('no packaged kernel');
  t.match(await settleDebian(spec.value.kernel, context), {
    failure: { kind: 'usage', message: /no kernel 6\.2/, remedy: /debian:6\.1/ },
  });
  apt.goAway();
  t.match(await resolve('debian:nonesuch'), /no suite nonesuch .*\n.*\n.*debian:sid/);
});

t.test('what is remembered of a suite is not enough where its packages are gone', async (t) => {
  const { context, resolve } = setUp(t);
  const first = await resolve('debian:bookworm');
  rmSync(join(context.store.root, 'kernel-image'), { recursive: true });
  t.equal(await resolve('debian:bookworm'), first);
});
