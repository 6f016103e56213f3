import { daxMessages } from '../findings/kernel-log.js';
import type { DataLook, Layer, ProofEvent } from '../guest/protocol.js';
import { atLeast } from '../kernel-version.js';
import type { Expectation } from '../record/record.js';
import { readData } from './data-look.js';
import { layerProblems } from './layers.js';

/**
 * Decides whether DAX was in use, through the right driver, at one moment. The guest reports what
 * it sees; this file decides what that proves.
 */

/** STATX_ATTR_DAX: the file is in the DAX state (include/uapi/linux/stat.h, since 5.8). */
const STATX_ATTR_DAX = 0x00200000;

export interface DaxState {
  when: ProofEvent['when'];
  device: string;
  mounted: boolean;
  /** The file system whose code serves the mount, by the kernel's own traces. */
  driver: string;
  mountOptions: string;
  /** undefined if this kernel's statx does not know the attribute. */
  statxDax: boolean | undefined;
  /** The same of a new file on the realtime device; undefined too if there is none. */
  realtimeDax: boolean | undefined;
  /** Whether DAX reaches the bytes of the block device; undefined if there is no answer. */
  dataSame: boolean | undefined;
  /** The comparisons that say so. */
  data: DataLook[];
  /** The drivers on the way to the device. */
  path: string;
  /** What the device is made of. */
  layers: Layer[];
  /** Why it proves nothing, or the contrary. Empty if DAX is proven. */
  problems: string[];
  /** What the look does not say. A failure of the test counts all the same, but no pass. */
  gaps: string[];
  /** The kernel's messages about DAX. */
  messages: string[];
}

export function readProof(proof: ProofEvent, expected: Expectation): DaxState {
  const daxIn = (attributes: number | undefined) =>
    attributes === undefined || ((proof.statxMask ?? 0) & STATX_ATTR_DAX) === 0
      ? undefined
      : (attributes & STATX_ATTR_DAX) !== 0;
  const state: DaxState = {
    when: proof.when,
    device: proof.device,
    mounted: proof.mounted,
    driver: driverOf(proof),
    mountOptions: proof.options,
    statxDax: daxIn(proof.statxAttributes),
    realtimeDax: daxIn(proof.realtimeAttributes),
    dataSame: undefined,
    path: proof.path ?? '',
    layers: proof.layers ?? [],
    data: [...(proof.data ?? []), ...(proof.realtimeData ?? [])],
    problems: [],
    gaps: [],
    messages: daxMessages(proof.kernelLog.split('\n')),
  };
  // A module without any trace in the kernel serves nothing. (One that cannot be unloaded has no
  // count of its users.)
  const traceless = proof.moduleReferences === undefined && proof.moduleBuildId === '';
  if (expected.module && traceless && state.driver === expected.fs) state.driver = 'unknown';
  state.problems = proof.mounted
    ? [
        ...driverProblems(proof, state.driver, expected),
        ...deviceProblems(proof, expected),
        ...pathProblems(proof, expected),
        ...layerProblems(proof, expected),
        ...(expected.control ? controlProblems(state) : daxProblems(proof, state, expected)),
      ]
    : [`${proof.device} is not mounted on ${proof.directory}`];
  if (!expected.control && state.problems.length === 0) addData(proof, state);
  return state;
}

/** Where DAX is off, there is no data to compare. */
function addData(proof: ProofEvent, state: DaxState): void {
  const looks = [readData(proof)];
  if (/(^|,)rtdev=/.test(state.mountOptions)) {
    looks.push(readData({ data: proof.realtimeData }, 'a new file on the realtime device'));
  }
  const answers = looks.map(({ same }) => same);
  state.dataSame = answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
  state.problems.push(...looks.map(({ problem }) => problem).filter(Boolean));
  state.gaps.push(...looks.map(({ gap }) => gap).filter(Boolean));
}

/**
 * ext4 and xfs keep a directory per mounted device in /sys/fs, also for an "ext2" that ext4 serves.
 * ext2 keeps none: it is the driver where the type says so, ext4 does not serve the mount, and its
 * module, if it is one, counts one user more than before.
 */
function driverOf(proof: ProofEvent): string {
  if (proof.servedByExt4) return 'ext4';
  if (proof.servedByXfs) return 'xfs';
  if (proof.type === 'ext4' || proof.type === 'xfs') return 'unknown';
  if (proof.type !== 'ext2') return proof.type || 'none';
  const { moduleReferences: now, moduleReferencesUnmounted: before } = proof;
  if (now !== undefined && now <= (before ?? 0)) return 'unknown';
  return 'ext2';
}

function driverProblems(proof: ProofEvent, driver: string, expected: Expectation): string[] {
  if (driver !== expected.fs) {
    return [
      driver === 'unknown'
        ? `there is no evidence that the ${expected.fs} driver serves the mount`
        : `the mount is served by the ${driver} driver, not ${expected.fs}`,
    ];
  }
  const wanted = expected.module?.buildId;
  if (wanted && proof.moduleBuildId !== wanted) {
    return [
      `the loaded ${expected.fs} module (build id ${proof.moduleBuildId || 'none'}) is not the one to be tested (build id ${wanted})`,
    ];
  }
  return [];
}

/** TEST_DEV has to be mounted with the devices that were asked for; a test may use SCRATCH_DEV without. */
function deviceProblems(proof: ProofEvent, { fs, devices = [] }: Expectation): string[] {
  if (proof.when === 'scratch' || fs !== 'xfs') return [];
  return [
    ...(devices.includes('TEST_LOGDEV') && !/(^|,)logdev=/.test(proof.options)
      ? ['it is mounted without the external log']
      : []),
    ...(devices.includes('TEST_RTDEV') && !/(^|,)rtdev=/.test(proof.options)
      ? ['it is mounted without the realtime device']
      : []),
  ];
}

/** The drivers between CXL memory and its block device, in the order in which they build on each other. */
const CXL_DRIVERS = ['cxl_acpi', 'cxl_port', 'cxl_mem', 'cxl_nvdimm', 'cxl_pmem_region', 'nd_pmem'];

function pathProblems({ device, path = '' }: ProofEvent, { pmem }: Expectation): string[] {
  if (pmem !== 'cxl') return [];
  const drivers = path.split(' ').map((one) => one.split(':')[0]);
  const missing = CXL_DRIVERS.filter((driver) => !drivers.includes(driver));
  if (missing.length === 0) return [];
  return [`${device} is not CXL memory: it is not reached through ${missing.join(', ')}`];
}

/** ext2 shows `dax`; ext4 and xfs show `dax` before 5.8 and `dax=always` since. */
export function showsDax(mountOptions: string): boolean {
  return /(^|,)dax(=always)?(,|$)/.test(mountOptions);
}

/** The problem of a mount on which no file can be made or read, among other reasons. */
export const STATX_SILENT = 'statx did not report whether a new file uses DAX';

/**
 * Older kernels have no such attribute, or no statx. Then the mount option must do: they too drop
 * it, or refuse the mount, if the device cannot do DAX.
 */
function daxProblems(proof: ProofEvent, state: DaxState, expected: Expectation): string[] {
  const problems: string[] = [];
  if (!showsDax(state.mountOptions)) {
    problems.push(`DAX is not among the mount options (${state.mountOptions})`);
  }
  if (state.statxDax === false) {
    problems.push('a new file does not use DAX, as statx reports');
  } else if (state.statxDax === undefined && atLeast(expected.release, '5.8')) {
    problems.push(STATX_SILENT);
  }
  if (/(^|,)rtdev=/.test(state.mountOptions)) {
    if (state.realtimeDax === false) {
      problems.push('a new file on the realtime device does not use DAX, as statx reports');
    } else if (state.realtimeDax === undefined && atLeast(expected.release, '5.8')) {
      problems.push('statx did not report whether a new file on the realtime device uses DAX');
    }
  }
  if (proof.blockSize === undefined || proof.blockSize !== proof.pageSize) {
    problems.push(
      `the block size (${proof.blockSize ?? 'unknown'}) is not the page size (${proof.pageSize ?? 'unknown'})`,
    );
  }
  return problems;
}

function controlProblems(state: DaxState): string[] {
  return showsDax(state.mountOptions) || state.statxDax === true || state.realtimeDax === true
    ? ['DAX is in use, but this is the control run without DAX']
    : [];
}
