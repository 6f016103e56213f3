import { tmpdir } from 'node:os';
import { EXIT } from '../outcome.js';
import { withPatience } from '../report/patience.js';
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
import { missingRequirements } from '../system/programs.js';
import { ALL_PARTS } from '../system/requirements.js';
import { toolVersions } from '../system/versions.js';
import { version } from '../version.js';
import { describeConfiguration } from './doctor-configuration.js';
import type { DoctorReport } from './doctor-report.js';
import { describeSuite } from './doctor-suite.js';
import { renderDoctor } from './doctor-text.js';

export interface DoctorOptions {
  json?: boolean;
  /** A tree of xfstests to look at; as for `run`. */
  suite?: string;
}

export interface DoctorContext {
  host?: Host;
  cache?: string;
  /** Boots a guest under KVM. Asked only where the device opens. */
  probeKvm?: () => Promise<{ usable: boolean; reason: string }>;
  print?: (text: string) => void;
}

/** `daxrepro doctor` changes nothing. */
export async function doctorCommand(
  { json = false, suite }: DoctorOptions,
  context: DoctorContext = {},
): Promise<number> {
  const print = context.print ?? ((text) => process.stdout.write(`${text}\n`));
  const report = await withPatience(
    () => 'looking at this machine, and whether KVM runs a guest',
    () => examine(context, suite),
  );
  if (json) print(JSON.stringify(report, undefined, 2));
  else {
    const colour = process.stdout.isTTY === true && !process.env['NO_COLOR'];
    print(renderDoctor(report, colour));
  }
  return report.usable ? EXIT.ok : EXIT.failed;
}

async function examine(
  { host = thisHost(), cache = defaultStore().root, probeKvm }: DoctorContext,
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
  const problems = [
    ...(privilege && !privilege.ok ? [`Programs are missing, and ${privilege.reason}`] : []),
    ...(parentDeath || missing.some(({ names }) => names.includes('setpriv'))
      ? []
      : [
          'A child does not die with its parent here (setpriv --pdeathsig): QEMU could be left over',
        ]),
    ...(configuration?.problem ? [configuration.problem] : []),
    ...(asked !== undefined && suite?.problem ? [suite.problem] : []),
    ...placeProblems('cache', cachePlace, GIB),
    ...placeProblems('temporary directory', temporary, GIB / 2),
    ...(machine.memoryAvailable < GIB
      ? ['Less than 1 GiB of memory is available: a guest needs that']
      : []),
  ];
  const notes = [
    ...(privilege?.ok ? ['The first run installs what is missing'] : []),
    ...(kernels.length === 0 && cachePlace.free < 3 * GIB
      ? ['The first run of a packaged kernel needs about 3 GiB in the cache']
      : []),
    ...(cachePlace.noexec
      ? [
          `${cache} is mounted noexec: the kernel's build tools cannot start there; set XDG_CACHE_HOME to another directory`,
        ]
      : []),
    ...(confined ? [confined] : []),
    ...(asked === undefined && suite?.problem ? [suite.problem] : []),
  ];
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    system: host.distribution.name,
    usable: problems.length === 0,
    problems,
    notes,
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
    configuration,
    suite,
  };
}

const GIB = 1024 ** 3;

function placeProblems(name: string, { directory, free, writable }: Place, enough: number) {
  if (!writable) return [`The ${name} (${directory}) is not writable`];
  if (free >= enough) return [];
  return [`The ${name} (${directory}) has only ${Math.floor(free / 1024 ** 2)} MiB left`];
}
