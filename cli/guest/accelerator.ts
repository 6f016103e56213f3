import { readFileSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from '../schema.js';
import { cacheKey, type Store } from '../store/store.js';
import { kvmDevice } from '../system/kvm.js';
import { findProgram } from '../system/programs.js';
import { startGuest } from './guest.js';
import { type Accelerator, type MachineFiles, type MachineShape, qemuArgv } from './machine.js';

/**
 * Tests whether KVM really runs guests here. An existing /dev/kvm that opens proves little: on some
 * hosted machines guests hang all the same. So a guest is booted once, and the answer remembered
 * until the machine reboots or QEMU changes.
 */

export const ACCELERATOR_CHOICES = ['auto', 'kvm', 'tcg'] as const;
export type AcceleratorChoice = (typeof ACCELERATOR_CHOICES)[number];

/** With KVM a guest is ready in about a second; one that takes this long does not use it. */
const TRIAL_SECONDS = 5;

export interface KvmAnswer {
  usable: boolean;
  /** One clause without the full stop: `a guest booted`, `/dev/kvm is not there`. */
  reason: string;
}

const Remembered = z.object({ usable: z.boolean(), reason: z.string() });

export interface TrialContext {
  store: Store;
  files: Pick<MachineFiles, 'qemu' | 'kernel' | 'initramfs'>;
  signal?: AbortSignal;
}

/** What is known without a trial boot: from the device alone, or from an earlier trial. */
export async function knownKvm(store: Store, qemu: string): Promise<KvmAnswer | undefined> {
  return (await kvmWithoutTrial()) ?? (await rememberedKvm(store, qemu));
}

/** What the device alone says: that KVM cannot be used. undefined: only a trial boot tells. */
export async function kvmWithoutTrial(device = '/dev/kvm'): Promise<KvmAnswer | undefined> {
  switch ((await kvmDevice(device)).state) {
    case 'opens':
      return undefined;
    case 'absent':
      return { usable: false, reason: `${device} is not there` };
    default:
      return {
        usable: false,
        reason: `${device} may not be opened by this user (its group is mostly called kvm)`,
      };
  }
}

/** The result of an earlier trial, if it still holds. */
async function rememberedKvm(store: Store, qemu: string): Promise<KvmAnswer | undefined> {
  try {
    return Remembered.parse(JSON.parse(await readFile(rememberedFile(store, qemu), 'utf8')));
  } catch {
    return undefined;
  }
}

export async function probeKvm({ store, files, signal }: TrialContext): Promise<KvmAnswer> {
  const known = await knownKvm(store, files.qemu);
  if (known) return known;
  const answer = await tryKvm(files, signal);
  if (!signal?.aborted) await remember(store, files.qemu, answer);
  return answer;
}

async function tryKvm(
  files: TrialContext['files'],
  signal: AbortSignal | undefined,
): Promise<KvmAnswer> {
  const shape: MachineShape = {
    pmem: 'none',
    deviceSize: 0,
    memory: 1024 * 1024 * 1024,
    cpus: 1,
    accelerator: 'kvm',
  };
  const guest = startGuest(
    qemuArgv(shape, { ...files, devices: [] }),
    { boot: TRIAL_SECONDS, silence: TRIAL_SECONDS, afterOops: 1 },
    { console() {}, event() {}, filePiece() {}, finding() {} },
    { signal },
  );
  const booted = await guest.ready;
  await guest.stop();
  if (booted.ok) return { usable: true, reason: 'a guest booted with it' };
  const { ending } = booted;
  return {
    usable: false,
    reason:
      ending.kind === 'boot-timeout'
        ? `/dev/kvm opens, but a guest did not boot in ${ending.seconds} s`
        : ending.kind === 'qemu-died'
          ? `QEMU cannot use it: ${ending.message.split('\n').at(-1)}`
          : `/dev/kvm opens, but a guest ended during boot (${ending.kind})`,
  };
}

function rememberedFile(store: Store, qemu: string): string {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  const { size, mtimeMs } = statSync(qemu);
  const key = cacheKey({
    host: hostname(),
    machine: read('/etc/machine-id'),
    boot: read('/proc/sys/kernel/random/boot_id'),
    qemu: `${qemu} ${size} ${mtimeMs}`,
    user: process.getuid?.() ?? 0,
  });
  return join(store.root, `accelerator-${key}.json`);
}

/** If this cannot be written, the next run tries again. */
async function remember(store: Store, qemu: string, answer: KvmAnswer): Promise<void> {
  const file = rememberedFile(store, qemu);
  try {
    await mkdir(store.root, { recursive: true });
    await writeFile(`${file}.${process.pid}`, JSON.stringify(answer));
    await rename(`${file}.${process.pid}`, file);
  } catch {}
}

/** The choice without a trial boot, for a dry run: `auto` is emulation until KVM was seen to work. */
export async function choiceWithoutTrial(
  choice: AcceleratorChoice,
  store: Store,
  qemu = findProgram('qemu-system-x86_64'),
): Promise<AcceleratorChoice> {
  if (choice !== 'auto' || !qemu) return choice;
  return (await knownKvm(store, qemu)) ? 'auto' : 'tcg';
}

export interface ChosenAccelerator {
  accelerator: Accelerator;
  /** For people, if the choice may surprise them. */
  note?: string;
}

/** Decides for `auto`. An explicit choice is kept if it can work. */
export function chooseAccelerator(choice: AcceleratorChoice, kvm: KvmAnswer): ChosenAccelerator {
  if (choice === 'tcg' || kvm.usable) {
    return { accelerator: choice === 'tcg' ? 'tcg' : 'kvm' };
  }
  return { accelerator: 'tcg', note: `using emulation (tcg): ${kvm.reason}` };
}
