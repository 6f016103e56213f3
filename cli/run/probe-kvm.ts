import { type KvmAnswer, knownKvm } from '../guest/accelerator.js';
import { readCatalogue } from '../kernel/catalogue.js';
import { peekDebian } from '../kernel/debian.js';
import { defaultStore } from '../store/store.js';
import { findProgram } from '../system/programs.js';
import { BASE } from '../variant/variant.js';
import { prepare } from './prepare.js';

/** Whether KVM runs guests here, for `doctor`. Tries it only if nothing has to be fetched. */
export async function probeKvmHere(): Promise<KvmAnswer> {
  const store = defaultStore();
  const qemu = findProgram('qemu-system-x86_64');
  if (!qemu) return { usable: false, reason: 'not tried: no QEMU is installed' };
  const known = await knownKvm(store, qemu);
  if (known) return known;
  for (const kernel of readCatalogue()) {
    if (!(await peekDebian(kernel, store))) continue;
    const spec = `debian:${kernel.version}`;
    const request = { kernel: spec, fs: 'ext4', variant: BASE, accelerator: 'auto' } as const;
    await prepare(request, { store, progress: () => {} });
    const answer = await knownKvm(store, qemu);
    if (answer) return answer;
  }
  return {
    usable: false,
    reason: 'not tried yet: the first run tries it, with the kernel that it fetches',
  };
}
