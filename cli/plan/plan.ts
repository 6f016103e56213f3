import type { FileSystem } from '../file-systems.js';
import { additionalDevices } from '../guest/additional-devices.js';
import { besideSize } from '../guest/layers.js';
import { atLeast } from '../kernel-version.js';
import { mkfsOptions } from './mkfs-options.js';
import type { RunRequest, Unit } from './unit.js';

const MIB = 1024 * 1024;

/** Ordinary memory of a guest: its image, the unpacked files, and room for tests. */
const GUEST_MEMORY = 1024 * MIB;

/** mkfs.xfs refuses less than 300 MB; small devices are quick to make and to check. */
export const DEFAULT_SIZE: Record<FileSystem, number> = {
  ext2: 256 * MIB,
  ext4: 256 * MIB,
  xfs: 512 * MIB,
};

export const SMALLEST_SIZE: Record<FileSystem, number> = {
  ext2: 16 * MIB,
  ext4: 16 * MIB,
  xfs: 300 * MIB,
};

/** Seeds are below this. */
export const SEEDS = 2 ** 32;

/** Two larger devices need more memory than an ordinary machine has. */
export const LARGEST_SIZE = 64 * 1024 * MIB;

/**
 * Lists the units of a request in the order they run: all attempts of a test before the next test, or
 * with --until-fail, all tests before the next attempt.
 *
 * @param release of the kernel, which decides the mount option for DAX
 */
export function planUnits(request: RunRequest, release: string): Unit[] {
  const attempts = Array.from({ length: request.repeat }, (_, index) => index + 1);
  const { tests } = request;
  const order =
    request.untilFail || request.soak !== undefined
      ? attempts.flatMap((attempt) => tests.map((test) => ({ test, attempt })))
      : tests.flatMap((test) => attempts.map((attempt) => ({ test, attempt })));
  return order.map(({ test, attempt }) =>
    planUnit(withSettings(request, test), test, attempt, release),
  );
}

function planUnit(request: RunRequest, test: string, attempt: number, release: string): Unit {
  const userTest = request.userTests?.get(test);
  const deviceSize = request.size ?? defaultSize(request);
  const additional = additionalDevices(request.devices ?? [], deviceSize);
  const beside = besideSize(request.stack, deviceSize);
  const further = [...additional.map(({ size }) => size), ...(beside ? [beside, beside] : [])];
  const { name, version } = request.suite;
  return {
    fs: request.fs,
    test,
    // The version is the hash of what is sent, which is made later.
    suite: userTest ? { name: 'user', version: '' } : { name, version },
    ...(userTest ? { userTest } : {}),
    facts: request.suite.name === 'xfstests' ? request.suite.facts.get(test) : undefined,
    kernelSpec: request.kernel,
    ...(request.askedKernel === undefined ? {} : { askedKernel: request.askedKernel }),
    variant: request.variant.name,
    attempt,
    seed: (request.seed + attempt - 1) % SEEDS,
    shape: {
      pmem: request.pmem,
      deviceSize,
      ...(further.length > 0 ? { additional: further } : {}),
      ...(request.partition ? { partition: true } : {}),
      ...(request.stack ? { stack: request.stack } : {}),
      memory: request.memory ?? GUEST_MEMORY,
      cpus: request.cpus,
      ...(request.append ? { append: request.append } : {}),
      ...(request.record ? { recorded: true } : {}),
    },
    mkfsOptions: mkfsOptions({
      ...{ fs: request.fs, release, xfsprogs: request.xfsprogs },
      onPartition: request.partition === true && request.stack === undefined,
      given: request.mkfsOptions ?? '',
    }),
    mountOptions: mountOptions(request, release),
    timeout: (userTest && request.runFor) || request.timeout,
    ...(userTest && request.runFor ? { endsByTime: true } : {}),
    ...(request.sysctl ? { sysctl: request.sysctl } : {}),
    control: request.control,
    ...(request.poison ? { poison: request.poison } : {}),
    ...(additional.length > 0 ? { devices: additional.map(({ variable }) => variable) } : {}),
    ...(request.powerCut ? { powerCut: request.powerCut } : {}),
  };
}

/** The request as a test with a header of its own changes it. The command line has won already. */
function withSettings(request: RunRequest, test: string): RunRequest {
  const settings = request.userTests?.get(test)?.settings;
  if (!settings) return request;
  const { size, memory, timeout, runFor, mkfsOptions, mountOptions } = settings;
  return {
    ...request,
    size: size ?? request.size,
    memory: memory ?? request.memory,
    timeout: timeout ?? request.timeout,
    runFor: runFor ?? request.runFor,
    mkfsOptions: mkfsOptions ?? request.mkfsOptions,
    mountOptions: mountOptions ?? request.mountOptions,
  };
}

/** Tests of xfstests need space. The host provides only the memory that they use. */
const XFSTESTS_SIZE = 1024 * MIB;

/** Small devices, because each image that survives a power cut is checked as a whole. */
const SIZE_FOR_CUTS = 64 * MIB;

function defaultSize({ fs, suite, powerCut }: RunRequest): number {
  if (powerCut && suite.name === 'builtin' && fs !== 'xfs') return SIZE_FOR_CUTS;
  return suite.name === 'xfstests' ? XFSTESTS_SIZE : DEFAULT_SIZE[fs];
}

function mountOptions(request: RunRequest, release: string): string {
  // Since 5.8, ext4 and xfs take dax=always, inode or never; ext2 only knows plain dax.
  const dax = request.fs === 'ext2' || !atLeast(release, '5.8') ? 'dax' : 'dax=always';
  // The default mount options of xfstests for ext2 and ext4.
  const usual = request.suite.name === 'xfstests' && request.fs !== 'xfs' ? 'acl,user_xattr' : '';
  return [usual, request.control ? '' : dax, request.mountOptions ?? ''].filter(Boolean).join(',');
}
