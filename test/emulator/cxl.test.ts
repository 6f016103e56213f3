import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkCxlQemu, cxlQemu, fetchCxlQemu, withCxl } from '../../cli/emulator/cxl.js';
import { exitCodeOf } from '../../cli/outcome.js';
import { makeContext } from '../kernel/context.js';
import { makeProgram, writeTree } from '../kernel/fixtures.js';

/** QEMU for CXL memory: 7.2 takes its options and loses the data, 10 is slow, 11 is fast. */

const version = (number: string) =>
  `echo 'QEMU emulator version ${number} (Debian 1:${number}+ds-1)'`;

/** A machine with this QEMU of its own, and these in the cache, by suite. */
function machine(t: Test, own: string | undefined, cached: Record<string, string> = {}) {
  const top = t.testdir({ bin: {} });
  const bin = join(top, 'bin');
  if (own !== undefined) makeProgram(bin, 'qemu-system-x86_64', version(own));
  const made = makeContext(top);
  const { root } = made.context.store;
  for (const [suite, number] of Object.entries(cached)) {
    writeTree(root, { [`references/qemu-${suite}.json`]: JSON.stringify({ key: suite }) });
    const place = join(root, 'qemu', suite);
    mkdirSync(place, { recursive: true });
    makeProgram(place, 'qemu-system-x86_64', version(number));
  }
  return { ...made, bin, store: made.context.store };
}

t.test('takes the fastest one that is here', async (t) => {
  for (const [own, cached, expected] of [
    ['11.1.3', {}, '11.1.3'],
    ['11.1.3', { sid: '12.0.0' }, '11.1.3'],
    ['10.0.2', {}, '10.0.2'],
    ['10.0.2', { sid: '11.1.3' }, '11.1.3'],
    ['7.2.22', { 'bookworm-backports': '10.0.2' }, '10.0.2'],
    ['7.2.22', { 'bookworm-backports': '10.0.2', sid: '11.1.3' }, '11.1.3'],
    [undefined, { trixie: '10.0.2' }, '10.0.2'],
  ] as const) {
    const { store, bin } = machine(t, own, cached);
    t.match(await cxlQemu(store, bin), { ok: true, value: { version: expected } }, expected);
  }
});

t.test(
  'never takes one that loses data: exit 2, and the command that fetches another',
  async (t) => {
    for (const [own, cached, why] of [
      ['7.2.22', {}, /; \S*qemu-system-x86_64 is 7\.2\.22$/],
      ['9.2.4', { bookworm: '7.2.22' }, /is 9\.2\.4$/],
      ['7.2.22', { sid: '7.2.22' }, /is 7\.2\.22$/],
      [undefined, {}, /; there is none$/],
    ] as const) {
      const { store, bin } = machine(t, own, cached);
      const qemu = await cxlQemu(store, bin);
      if (qemu.ok) return t.fail(`${qemu.value.version} was taken`);
      t.match(qemu.failure.message, /older ones lose what is written/);
      t.match(qemu.failure.message, why);
      t.match(qemu.failure.remedy, '`daxrepro setup --cxl`');
      t.equal(exitCodeOf(qemu.failure), 2);
    }
  },
);

t.test('checks the one of --qemu too', async (t) => {
  const old = machine(t, '7.2.22');
  t.match(await checkCxlQemu(join(old.bin, 'qemu-system-x86_64')), {
    ok: false,
    failure: { kind: 'usage', message: /qemu-system-x86_64 is 7\.2\.22$/, remedy: /--qemu/ },
  });
  const nothing = join(old.bin, 'none');
  t.match(await checkCxlQemu(nothing), { ok: false, failure: { message: /does not start$/ } });
});

t.test('leaves the emulator alone where nothing is CXL memory', async (t) => {
  const { store } = machine(t, '7.2.22');
  t.match(await withCxl([{ pmem: 'memmap' }, { pmem: 'none' }], '/own', store), { value: '/own' });
  t.match(await withCxl([], undefined, store), { ok: true, value: undefined });
});

t.test('setup fetches nothing where a fast one is here', async (t) => {
  const { context, bin } = machine(t, '7.2.22', { sid: '11.1.3' });
  t.match(await fetchCxlQemu(context, bin), { ok: true, value: { version: '11.1.3' } });
});
