import t from 'tap';
import { checkAppend, checkSysctl } from '../../cli/run/kernel-parameters.js';

t.test('accepts parameters, and drops surplus blanks', (t) => {
  t.strictSame(checkAppend(undefined), { ok: true, value: undefined });
  t.strictSame(checkAppend('  '), { ok: true, value: undefined });
  t.strictSame(checkAppend('slub_debug=FZP  nokaslr '), {
    ok: true,
    value: 'slub_debug=FZP nokaslr',
  });
  // Names that only begin like a refused one.
  t.ok(checkAppend('memory_corruption_check=1 debug_pagealloc=on pcie_aspm=off').ok);
  t.end();
});

t.test('refuses parameters that would break the guest, with the reason', (t) => {
  const wrong: [string, RegExp][] = [
    ['console=tty0', /console/],
    ['nokaslr init=/bin/sh', /init=\/bin\/sh is not possible: .*initramfs/],
    ['rdinit=/x', /initramfs/],
    ['memmap=1G!4G', /--pmem/],
    ['mem=256M', /--memory/],
    ['panic=10', /panic/],
    ['printk-time=0 printk.time=0', /log/],
    ['daxrepro_pmem=none', /reserved/],
    ['acpi=off', /ACPI/],
    ['-- x', /init/],
    ['a\nb', /printable/],
    ['ä', /printable/],
    ['x'.repeat(1501), /1501 characters/],
  ];
  for (const [text, message] of wrong) {
    t.match(checkAppend(text), { ok: false, failure: { kind: 'usage', message } }, text);
  }
  t.end();
});

t.test('accepts kernel settings as sysctl(8) does', (t) => {
  const settings = ['vm.dirty_ratio=5', 'kernel/panic_on_warn=0', 'net.ipv4.tcp_rmem=4096 1 2'];
  t.strictSame(checkSysctl(settings), { ok: true, value: settings });
  for (const wrong of ['vm', 'vm.x', '=1', 'vm.x=', 'vm...x=1', '../etc/passwd=x', 'a.b=\n']) {
    t.match(checkSysctl([wrong]), { ok: false, failure: { kind: 'usage' } }, wrong);
  }
  t.end();
});
