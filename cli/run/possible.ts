import { readFile } from 'node:fs/promises';
import { type AcceleratorChoice, kvmWithoutTrial } from '../guest/accelerator.js';
import type { PmemKind } from '../guest/machine.js';
import { versionWithoutDax } from '../kernel/dax-code.js';
import { settleDebian } from '../kernel/debian-search.js';
import { type Driver, missingDrivers } from '../kernel/drivers.js';
import type { KernelContext } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import { type KernelSpec, parseSpec } from '../kernel/spec.js';
import { atLeast } from '../kernel-version.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { findProgram } from '../system/programs.js';

/** Refuses requests that cannot work, before anything is downloaded, built or booted. */

export type PossibleRequest = Pick<
  RunRequest,
  'fs' | 'kernel' | 'pmem' | 'control' | 'variant' | 'stack' | 'userland'
>;

/** @param requests at least one */
export async function checkPossible(
  requests: readonly PossibleRequest[],
  accelerator: AcceleratorChoice,
  context: KernelContext,
): Promise<Outcome<void>> {
  const kvm = accelerator === 'kvm' ? await kvmWithoutTrial() : undefined;
  if (kvm && !kvm.usable) return noKvm(kvm.reason);
  // In a comparison, only the variants with changes are errors.
  const [first] = requests;
  if (requests.length === 1 && first) {
    const changeable = await checkSources(first);
    if (!changeable.ok) return changeable;
  }
  const seen = new Set<string>();
  for (const request of requests) {
    const { fs, kernel, pmem, control, variant, stack } = request;
    const key = JSON.stringify([fs, kernel, pmem, control, variant.changes, stack]);
    if (seen.has(key)) continue;
    seen.add(key);
    const spec = await parseSpec(kernel);
    if (!spec.ok) return spec;
    const possible = await checkOne(request, spec.value, context);
    if (!possible.ok) return possible;
  }
  return success(undefined);
}

async function checkOne(
  request: PossibleRequest,
  spec: KernelSpec,
  context: KernelContext,
): Promise<Outcome<void>> {
  const cxl = checkCxlSupport(request, spec);
  if (!cxl.ok) return cxl;
  const stack = checkDeviceMapper(request);
  if (!stack.ok) return stack;
  const dax = await checkDax(request, spec, context);
  if (!dax.ok || !isLocal(spec)) return dax;
  return checkDrivers(request, spec, context);
}

function isLocal({ type }: KernelSpec): boolean {
  return type === 'image' || type === 'host';
}

async function checkSources({ kernel, variant }: PossibleRequest): Promise<Outcome<void>> {
  const spec = await parseSpec(kernel);
  if (!spec.ok) return spec;
  if (variant.changes.length === 0 || !isLocal(spec.value)) return success(undefined);
  return failure(
    'usage',
    `There are no sources to change for ${kernel}: ${variant.name} cannot be built`,
    'Use --kernel debian:X.Y, debsrc:X.Y or src:DIR with changes',
  );
}

async function checkDax(
  request: PossibleRequest,
  spec: KernelSpec,
  context: KernelContext,
): Promise<Outcome<void>> {
  const { fs, kernel, control, variant } = request;
  if (control) return success(undefined);
  const known = await settledSpec(request, spec, context);
  if (!known.ok) return known;
  const version = await versionWithoutDax(known.value, fs);
  if (version === undefined || (await mayAddDax(variant.changes))) return success(undefined);
  return failure(
    'usage',
    `${fs} has no DAX on ${kernel} (${version}). Linux 7.2 removed it, and says at the mount: "DAX support has been removed. dax option ignored"`,
    'Use --kernel debian:6.12 or older, use ext4 or xfs, or add --pmem none --control to run without DAX',
  );
}

/** Only the mirror knows which kernel a suite has. It is asked for ext2 alone, whose DAX code depends on it. */
async function settledSpec(
  { fs }: PossibleRequest,
  spec: KernelSpec,
  context: KernelContext,
): Promise<Outcome<KernelSpec>> {
  if (fs !== 'ext2' || (spec.type !== 'debian' && spec.type !== 'debsrc')) return success(spec);
  if (spec.kernel.version !== '') return success(spec);
  const settled = await settleDebian(spec.kernel, context);
  return settled.ok ? success({ ...spec, kernel: settled.value }) : settled;
}

/** A change can restore the DAX code. It then mentions DAX. */
async function mayAddDax(changes: readonly string[]): Promise<boolean> {
  for (const file of changes) {
    // A file that cannot be read is reported with the other changes.
    const text = await readFile(file, 'utf8').catch(() => 'dax');
    if (/^\+.*_DAX\b/m.test(text)) return true;
  }
  return false;
}

/** The drivers of the devices, by `--pmem`. */
const DEVICE_DRIVERS: Readonly<Record<PmemKind, readonly Driver[]>> = {
  memmap: ['nd_pmem'],
  nvdimm: ['nfit', 'nd_pmem'],
  'virtio-pmem': ['virtio_pmem', 'nd_pmem'],
  cxl: ['cxl_acpi', 'cxl_pci', 'cxl_port', 'cxl_mem', 'cxl_pmem', 'nd_pmem'],
  none: ['virtio_blk'],
};

/** The options of these drivers, which are off in many configurations. */
const OPTIONS: Partial<Record<Driver, string>> = {
  dm_mod: 'CONFIG_BLK_DEV_DM',
  cxl_acpi: 'CONFIG_CXL_ACPI',
  cxl_pci: 'CONFIG_CXL_PCI',
  cxl_port: 'CONFIG_CXL_PORT',
  cxl_mem: 'CONFIG_CXL_MEM',
  cxl_pmem: 'CONFIG_CXL_PMEM',
};

/** The first packaged kernel with CONFIG_CXL_REGION. */
const FIRST_WITH_CXL = '6.1';

function checkCxlSupport({ kernel, pmem }: PossibleRequest, spec: KernelSpec): Outcome<void> {
  if (pmem !== 'cxl' || (spec.type !== 'debian' && spec.type !== 'debsrc')) {
    return success(undefined);
  }
  const { version } = spec.kernel;
  if (version === '' || atLeast(version, FIRST_WITH_CXL)) return success(undefined);
  return failure(
    'usage',
    `${kernel} cannot create regions of CXL memory: CONFIG_CXL_REGION is new in Linux 6.0`,
    `Use --kernel debian:${FIRST_WITH_CXL} or newer, or another kind with --pmem`,
  );
}

/** A userland has programs of its own. */
export function checkDeviceMapper(
  { stack, userland }: Pick<PossibleRequest, 'stack' | 'userland'>,
  path?: string,
): Outcome<void> {
  const own = userland !== undefined && userland !== 'host';
  if (stack === undefined || own || findProgram('dmsetup', path) !== undefined) {
    return success(undefined);
  }
  return failure(
    'usage',
    '--stack needs the program dmsetup, which sets up device mapper in the guest',
    'Install the package dmsetup; on Fedora and openSUSE it is device-mapper',
  );
}

/** A guest without these boots, and then waits until its time is up. */
async function checkDrivers(
  { fs, kernel, pmem, stack }: PossibleRequest,
  spec: KernelSpec,
  context: KernelContext,
): Promise<Outcome<void>> {
  const resolved = await resolveKernel(kernel, context);
  if (!resolved.ok) return resolved;
  const needed = [
    'virtio_pci',
    'virtio_console',
    ...DEVICE_DRIVERS[pmem],
    ...(stack === undefined ? [] : (['dm_mod'] as const)),
    fs,
  ] as const;
  const missing = await missingDrivers(resolved.value, needed);
  if (missing.length === 0) return success(undefined);
  const named = resolved.value.modules;
  const names = missing.map((name) => (OPTIONS[name] ? `${name} (${OPTIONS[name]})` : name));
  return failure(
    'usage',
    named === undefined
      ? `${kernel} is an image without modules, and does not have built in: ${names.join(', ')}`
      : `${kernel} has neither built in nor among the modules in ${named}: ${names.join(', ')}`,
    spec.type === 'image' && named === undefined
      ? `Name its modules: --kernel ${kernel},MODULES-DIR, a directory like /lib/modules/${resolved.value.release}`
      : 'Build them in or as modules, or use --kernel debian:6.1',
  );
}

function noKvm(reason: string): Outcome<void> {
  return failure(
    'usage',
    `--accel kvm cannot be used here: ${reason}`,
    'Use --accel auto, which takes emulation where KVM does not work',
  );
}
