import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { availableParallelism, hostname, release } from 'node:os';
import { join } from 'node:path';
import { chooseQemu } from '../emulator/choose.js';
import { programForCxl } from '../emulator/cxl.js';
import { chooseAccelerator, probeKvm } from '../guest/accelerator.js';
import type { Accelerator } from '../guest/machine.js';
import type { KernelContext } from '../kernel/kernel.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import { capableQemu, checkCapable } from '../power-cut/qemu.js';
import type { PowerCutTools } from '../power-cut/tools.js';
import type { UnitMachine } from '../results/run-result.js';
import { describeHost } from '../run/host.js';
import { sha256OfFile } from '../sha256.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { findProgram } from '../system/programs.js';
import type { PackedUserTest, UserTest } from '../user-test/user-test.js';
import { nodeName } from './notes.js';
import type { Plan, PlannedUnit } from './schema.js';

/**
 * Prepares this machine for units of a plan. It needs Node.js, QEMU, util-linux and the plan's
 * directory; nothing is downloaded or compiled.
 */
export interface Here {
  machine: UnitMachine;
  accelerator: Accelerator;
  /** What a unit is run with; `prepared` is its index in the plan. */
  prepared: (unit: PlannedUnit) => Prepared;
}

export async function prepareHere(
  directory: string,
  plan: Plan,
  units: readonly PlannedUnit[],
  context: KernelContext,
): Promise<Outcome<Here>> {
  const qemu = await emulator(plan, units, context);
  if (!qemu.ok) return qemu;
  const files = new LocalFiles(directory, plan, context);
  const numbers = [...new Set(units.flatMap(({ prepared }) => prepared ?? []))];
  const ready = new Map<number, Omit<Prepared, 'accelerator'>>();
  for (const number of numbers) {
    const one = await openPrepared(plan.prepared[number], qemu.value, files);
    if (!one.ok) return one;
    ready.set(number, one.value);
  }
  const tests = await openUserTests(plan, units, files);
  if (!tests.ok) return tests;
  const powerCut = await openPowerCut(plan, units, files, context);
  if (!powerCut.ok) return powerCut;
  const accelerator = await accelerate(plan, [...ready.values()], context);
  if (!accelerator.ok) return accelerator;
  const more = { accelerator: accelerator.value, powerCut: powerCut.value, userTests: tests.value };
  const { kernel, qemu: name, node } = await describeHost(powerCut.value?.qemu ?? qemu.value);
  return success({
    machine: { host: nodeName(), kernel, qemu: name, node, cpus: availableParallelism() },
    accelerator: accelerator.value,
    prepared: ({ prepared = -1 }) => {
      const own = ready.get(prepared);
      if (!own) throw new Error(`the plan has no kernel number ${prepared}`);
      return { ...own, ...more };
    },
  });
}

/** Only what is here already: `--qemu debian:SUITE` may be in this machine's cache. */
async function emulator(
  { settings }: Plan,
  units: readonly PlannedUnit[],
  context: KernelContext,
): Promise<Outcome<string>> {
  const missing = ['setpriv', 'flock', 'sh'].filter((program) => !findProgram(program));
  if (missing.length > 0) {
    return failure(
      'program-missing',
      `This machine (${hostname()}, Linux ${release()}) has no ${missing.join(', ')}`,
      'Install util-linux',
    );
  }
  const chosen = await chooseQemu(settings.qemu, context);
  if (!chosen.ok) return chosen;
  if (units.some(({ unit }) => unit.shape.pmem === 'cxl')) {
    return programForCxl(chosen.value, context.store);
  }
  const qemu = chosen.value ?? findProgram('qemu-system-x86_64');
  if (qemu) return success(qemu);
  return failure(
    'program-missing',
    `This machine (${hostname()}) has no qemu-system-x86_64`,
    'Install QEMU on it, for example with `daxrepro setup`',
  );
}

/** Copies in this machine's cache, by hash: guests start from a local disk, at the same path each time. */
class LocalFiles {
  readonly #hashes: ReadonlyMap<string, string>;

  constructor(
    readonly directory: string,
    plan: Plan,
    readonly context: KernelContext,
  ) {
    this.#hashes = new Map(plan.files.map(({ name, sha256 }) => [name, sha256]));
  }

  async get(name: string): Promise<Outcome<string>> {
    const sha256 = this.#hashes.get(name);
    const place = { file: join(this.directory, name) };
    if (sha256 === undefined) {
      return failure('unreadable', 'This file is not in the list of the plan', COPY, { place });
    }
    const key = cacheKey({ input: sha256 });
    const entry = await lookUpOrMake(this.context.store, 'chunk-input', key, async (making) => {
      const copy = join(making, 'file');
      try {
        await mkdir(making, { recursive: true });
        await copyFile(place.file, copy);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' && code !== 'EACCES') throw error;
        return failure('unreadable', `An input of the plan cannot be read: ${message}`, COPY);
      }
      const read = await sha256OfFile(copy);
      if (read.sha256 === sha256) return success(undefined);
      return failure('unreadable', 'This input of the plan has changed', COPY, { place });
    });
    return entry.ok ? success(join(entry.value, 'file')) : entry;
  }
}

const COPY = 'Copy the whole directory again, or make a new plan';

async function openPrepared(
  files: Plan['prepared'][number] | undefined,
  qemu: string,
  local: LocalFiles,
): Promise<Outcome<Omit<Prepared, 'accelerator'>>> {
  if (!files) throw new Error('the plan names a kernel that it does not have');
  const image = await local.get(files.image);
  if (!image.ok) return image;
  const initramfs = await local.get(files.initramfs);
  if (!initramfs.ok) return initramfs;
  const module = await openModule(files.module, local);
  if (!module.ok) return module;
  const kernel = { ...files.kernel, image: image.value, bootImage: image.value };
  const { witness } = files;
  return success({ qemu, kernel, initramfs: initramfs.value, witness, module: module.value });
}

async function openModule(
  module: Plan['prepared'][number]['module'],
  local: LocalFiles,
): Promise<Outcome<Prepared['module']>> {
  if (!module) return success(undefined);
  const { file, srcversion, compiler, ...facts } = module;
  const own = {
    ...facts,
    ...(srcversion === undefined ? {} : { srcversion }),
    ...(compiler === undefined ? {} : { compiler }),
  };
  // A packaged module is in the guest image.
  if (file === undefined) return success({ ...own, file: '' });
  const found = await local.get(file);
  if (!found.ok) return found;
  return success({ ...own, file: found.value, bytes: await readFile(found.value) });
}

async function openUserTests(
  plan: Plan,
  units: readonly PlannedUnit[],
  local: LocalFiles,
): Promise<Outcome<ReadonlyMap<string, PackedUserTest>>> {
  const tests = new Map<string, PackedUserTest>();
  for (const { unit } of units) {
    if (!unit.userTest || tests.has(unit.test)) continue;
    const name = plan.userTests.find(({ word }) => word === unit.test)?.file;
    const file = await local.get(name ?? unit.test);
    if (!file.ok) return file;
    const hash = await sha256OfFile(file.value);
    tests.set(unit.test, { test: unit.userTest as UserTest, file: file.value, ...hash });
  }
  return success(tests);
}

async function openPowerCut(
  { plugin, settings }: Plan,
  units: readonly PlannedUnit[],
  local: LocalFiles,
  { store }: KernelContext,
): Promise<Outcome<PowerCutTools | undefined>> {
  if (plugin === undefined || !units.some(({ unit }) => unit.powerCut)) return success(undefined);
  const own = settings.qemu?.startsWith('debian:') ? undefined : settings.qemu;
  const capable = own === undefined ? await capableQemu(store) : await checkCapable(own);
  if (!capable.ok) return capable;
  const file = await local.get(plugin);
  if (!file.ok) return file;
  const { program, environment, arguments: after } = capable.value;
  return success({ qemu: program, environment, after, plugin: file.value });
}

/** Each machine decides for itself whether its KVM works. */
async function accelerate(
  { settings }: Plan,
  [first]: readonly Omit<Prepared, 'accelerator'>[],
  { store, progress, signal }: KernelContext,
): Promise<Outcome<Accelerator>> {
  const { accelerator: choice } = settings;
  if (choice === 'tcg' || !first) return success('tcg');
  const { qemu, kernel, initramfs } = first;
  const files = { qemu, kernel: kernel.bootImage, initramfs };
  const answer = await probeKvm({ store, files, ...(signal ? { signal } : {}) });
  if (choice === 'kvm' && !answer.usable) {
    const what = `KVM cannot be used on this machine (${hostname()}): ${answer.reason}`;
    return failure('program-missing', what, 'Plan with --accel auto, or use other machines');
  }
  const chosen = chooseAccelerator(choice, answer);
  if (chosen.note) progress({ type: 'note', text: chosen.note });
  return success(chosen.accelerator);
}
