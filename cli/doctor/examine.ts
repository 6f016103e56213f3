import { tmpdir } from 'node:os';
import { cxlQemu } from '../emulator/cxl.js';
import { defaultStore } from '../store/store.js';
import { installCommand } from '../system/distribution.js';
import { type Host, installPrivilege, thisHost } from '../system/install.js';
import { kvmDevice } from '../system/kvm.js';
import {
  cachedKernels,
  confinement,
  describeMachine,
  describePlace,
  type Place,
  parentDeathWorks,
} from '../system/machine.js';
import { findProgram, missingRequirements } from '../system/programs.js';
import { ALL_PARTS } from '../system/requirements.js';
import { toolVersions } from '../system/versions.js';
import { version } from '../version.js';
import { describeConfiguration } from './configuration.js';
import type { DoctorReport } from './report.js';
import { describeSuite } from './suite.js';

/** Examines this machine for `daxrepro doctor`. Changes nothing. */

export interface Examined {
  host?: Host;
  /** The cache's directory. */
  cache?: string;
  /** Boots a guest under KVM. Called only if /dev/kvm opens. */
  probeKvm?: () => Promise<{ usable: boolean; reason: string }>;
}

const GIB = 1024 ** 3;

/** @param asked the value of --suite */
export async function examine(
  { host = thisHost(), cache = defaultStore().root, probeKvm }: Examined,
  asked: string | undefined,
): Promise<DoctorReport> {
  const configuration = await describeConfiguration();
  const suite = describeSuite(asked ?? configuration?.values['suite'], host);
  const [programs, machine, cachePlace, kernels, temporary, device, parentDeath, confined] =
    await Promise.all([
      toolVersions(host.path),
      describeMachine(),
      describePlace(cache),
      cachedKernels(cache),
      describePlace(tmpdir()),
      kvmDevice(),
      parentDeathWorks(host.path),
      confinement(),
    ]);
  const missing = missingRequirements(ALL_PARTS, host.path, host.requirements);
  const privilege = missing.length > 0 ? await installPrivilege(host) : undefined;
  const trial = device.state === 'opens' && probeKvm ? await probeKvm() : undefined;
  const found = { asked, configuration, suite, machine, kernels, cache: cachePlace };
  const all = { ...found, temporary, parentDeath, confined, missing, privilege };
  const problems = problemsOf(all);
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    system: host.distribution.name,
    usable: problems.length === 0,
    problems,
    notes: notesOf(all),
    programs: [
      { name: 'node', path: process.execPath, version: process.versions.node },
      ...programs,
    ],
    missing: missing.map(({ requirement, names }) => ({
      package: requirement.packages[host.distribution.family ?? 'debian'] ?? null,
      names,
      purpose: requirement.purpose,
    })),
    install: installCommand(missing, host.distribution, host.root) ?? null,
    machine,
    cache: { ...cachePlace, kernels },
    temporary,
    kvm: { ...device, ...(trial ? { trial } : {}) },
    parentDeath,
    cxl: await describeCxl(cache, host.path),
    configuration,
    suite,
  };
}

/** What `--pmem cxl` would use, or lacks. */
async function describeCxl(cache: string, path: string): Promise<DoctorReport['cxl']> {
  const qemu = await cxlQemu({ root: cache }, path);
  const problem = findProgram('cxl', path) === undefined ? 'there is no program cxl' : undefined;
  if (!qemu.ok) return { usable: false, problem: qemu.failure.message };
  return problem === undefined
    ? { usable: true, qemu: qemu.value }
    : { usable: false, problem, qemu: qemu.value };
}

interface Found extends Pick<DoctorReport, 'configuration' | 'suite' | 'machine' | 'temporary'> {
  asked: string | undefined;
  kernels: string[];
  cache: Place;
  parentDeath: boolean;
  confined: string | undefined;
  missing: ReturnType<typeof missingRequirements>;
  privilege: Awaited<ReturnType<typeof installPrivilege>> | undefined;
}

/** Why a run cannot work. */
function problemsOf(found: Found): string[] {
  const { asked, configuration, suite, machine, privilege } = found;
  const noSetpriv = found.missing.some(({ names }) => names.includes('setpriv'));
  return [
    ...(privilege && !privilege.ok ? [`Programs are missing, and ${privilege.reason}`] : []),
    ...(found.parentDeath || noSetpriv
      ? []
      : [
          'A child does not die with its parent here (setpriv --pdeathsig): QEMU could keep running',
        ]),
    ...(configuration?.problem ? [configuration.problem] : []),
    ...(asked !== undefined && suite?.problem ? [suite.problem] : []),
    ...placeProblems('cache', found.cache, GIB),
    ...placeProblems('temporary directory', found.temporary, GIB / 2),
    ...(machine.memoryAvailable < GIB
      ? ['Less than 1 GiB of memory is available, and a guest needs 1 GiB']
      : []),
  ];
}

function notesOf({ asked, suite, kernels, cache, confined, privilege }: Found): string[] {
  return [
    ...(privilege?.ok ? ['The first run installs the missing packages'] : []),
    ...(kernels.length === 0 && cache.free < 3 * GIB
      ? ['The first run of a packaged kernel needs about 3 GiB in the cache']
      : []),
    ...(cache.noexec
      ? [
          `${cache.directory} is mounted noexec: the kernel's build tools cannot start there; set XDG_CACHE_HOME to another directory`,
        ]
      : []),
    ...(confined ? [confined] : []),
    ...(asked === undefined && suite?.problem ? [suite.problem] : []),
  ];
}

function placeProblems(name: string, { directory, free, writable }: Place, enough: number) {
  if (!writable) return [`The ${name} (${directory}) is not writable`];
  if (free >= enough) return [];
  return [`The ${name} (${directory}) has only ${Math.floor(free / 1024 ** 2)} MiB left`];
}
