import t from 'tap';
import { chooseQemu } from '../../cli/emulator/choose.js';
import { peekUnpacked } from '../../cli/power-cut/qemu.js';
import { defaultStore } from '../../cli/store/store.js';
import { describe, runJson } from './daxrepro.js';

// Checkpoints restore with every QEMU: 7.2, 10.0 and 11.1. That of sid is downloaded, 34 MB.
t.setTimeout(30 * 60 * 1000);

const store = defaultStore();
const sid = await chooseQemu('debian:sid', { store, progress: () => {} });
const unpacked = await peekUnpacked(store);

for (const [name, qemu, skip] of [
  ['this machine’s', 'qemu-system-x86_64', false],
  ['10.0', unpacked?.program ?? '', unpacked ? false : 'daxrepro setup --power-cut was not run'],
  ['11.1 or newer', 'debian:sid', sid.ok ? false : sid.failure.message],
] as const) {
  t.test(`clones with ${name}`, { skip }, async (t) => {
    for (const pmem of ['memmap', 'virtio-pmem']) {
      const words = ['ext4', 'generic/002', '--qemu', qemu, '--pmem', pmem];
      const { result, stderr, exitCode } = await runJson(words, t.testdir());
      t.equal(exitCode, 0, describe(result));
      t.match(result.units[0], { verdict: 'pass', cloned: true }, pmem);
      t.notMatch(stderr, /checkpoint/, 'nothing is said of it');
    }
  });
}
