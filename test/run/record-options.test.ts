import t from 'tap';
import { misuseOf } from '../../cli/commands/replay-exact.js';
import { recordOf } from '../../cli/run/record-options.js';
import type { RunOptions } from '../../cli/run/run-options.js';

const OPTIONS = { record: true, cpus: '1', pmem: 'memmap', accel: 'auto' } as RunOptions;

t.test('what can be recorded', async (t) => {
  t.match(recordOf({ ...OPTIONS, record: false }), { ok: true, value: undefined });
  t.match(recordOf(OPTIONS), { ok: true, value: true });
  t.match(recordOf({ ...OPTIONS, pmem: 'nvdimm', accel: 'tcg' }), { ok: true, value: true });
  const configured = { together: true, configured: ['together'] };
  t.match(recordOf({ ...OPTIONS, ...configured }), { ok: true }, 'the project file gives way');
  const refusals: [Partial<RunOptions>, RegExp][] = [
    [{ accel: 'kvm' }, /only emulation allows/],
    [{ cpus: '2' }, /one CPU/],
    [{ pmem: 'virtio-pmem' }, /plugged in while the guest runs/],
    [{ pmem: 'none' }, /content of disks is not recorded/],
    [{ pmem: 'cxl' }, /no replay of CXL memory/],
    [{ powerCut: true }, /does not go with --power-cut/],
    [{ together: true }, /a separate guest for each test/],
    [{ on: 'ssh:host' }, /this machine only/],
  ];
  for (const [more, message] of refusals) {
    const refused = recordOf({ ...OPTIONS, ...more });
    t.match(refused, { ok: false, failure: { kind: 'usage', message } }, JSON.stringify(more));
  }
});

t.test('what goes with an exact replay', async (t) => {
  t.equal(misuseOf({ exact: true, repeat: '3', qemu: 'qemu' }), undefined);
  t.equal(misuseOf({ repeat: '3' }), undefined);
  t.match(misuseOf({ qemu: 'qemu' }), { message: '--qemu without --exact' });
  for (const more of [
    { failures: true },
    { kernel: 'host' },
    { suite: 'xfstests' },
    { jobs: '2' },
    { checkpoint: false },
    { out: 'x' },
  ]) {
    t.match(misuseOf({ exact: true, ...more }), { kind: 'usage' }, JSON.stringify(more));
  }
});
