import { chooseQemu } from '../emulator/choose.js';
import { withCxl } from '../emulator/cxl.js';
import type { FileSystem } from '../file-systems.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import { versionIn } from '../guest/tool-versions.js';
import type { Userland } from '../guest/userland.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import { type InputContext, keepInputs } from '../inputs/keep.js';
import type { KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { type PowerCutTools, powerCutTools } from '../power-cut/tools.js';
import type { ProgressEvent } from '../progress.js';
import { defaultRunsDirectory, makeRunDirectory } from '../results/run-directory.js';
import type { RunResult, UnitResult } from '../results/run-result.js';
import { runResult } from '../run/conclude.js';
import type { EngineObserver } from '../run/engine.js';
import { describeHost } from '../run/host.js';
import { checkPossible } from '../run/possible.js';
import { packSuite } from '../run/suite.js';
import { describeTools } from '../run/tools.js';
import { packUserTests } from '../run/user-tests.js';
import { defaultStore } from '../store/store.js';
import { ensureSystem } from '../system/install.js';
import type { PackedUserTest } from '../user-test/user-test.js';
import { chooseUserland } from '../userland/choose.js';
import { ensureSystemFor } from './system.js';

/**
 * The steps that every command with guests takes, each written once:
 *
 *     openJob → setUp (system, power-cut tools, suite) → prepare → openRun (directory, inputs) → conclude
 *
 * Only `prepare` and the running itself differ between commands.
 */

/** Reports a job's progress to the user. */
export interface JobReporter extends EngineObserver {
  progress(event: ProgressEvent): void;
  /** @param estimate seconds of each unit, undefined where it never ran, and guests at a time */
  expect(
    units: number,
    estimate?: { seconds: readonly (number | undefined)[]; jobs: number },
  ): void;
}

/** A job that has begun. It serves as the context of stores, kernels and images. */
export interface OpenJob extends KernelContext {
  /** The command line, as the result reports it. */
  argv: string[];
  started: Date;
  reporter: JobReporter;
  signal: AbortSignal;
}

/** A job on a machine that has everything it needs. */
export interface Job extends OpenJob {
  /** undefined: no unit has its power cut. */
  powerCut: PowerCutTools | undefined;
  /** The emulator of `--qemu`; undefined: the one in PATH. */
  qemu: string | undefined;
  /** Where the guest's programs come from. */
  userland: Userland;
  /** The version of its mkfs.xfs, if a request is for xfs. */
  xfsprogs: string | undefined;
  /** A packed tree of xfstests; undefined: the built-in suite. */
  suite: TreeArchive | undefined;
  /** The user's test files, packed, by their words. */
  userTests: ReadonlyMap<string, PackedUserTest>;
}

export function openJob(
  argv: string[],
  { reporter, signal }: { reporter: JobReporter; signal: AbortSignal },
): OpenJob {
  return {
    argv,
    started: new Date(),
    reporter,
    signal,
    store: defaultStore(),
    progress: reporter.progress.bind(reporter),
  };
}

/**
 * @param requests at least one; all name the same suite
 * @param changes patch files to check first
 * @param brought whether the kernels are already there, in a bundle
 * @param refuse whether to refuse what cannot work; not for one of many trees, and not for a replay
 */
export async function setUp(
  job: OpenJob,
  requests: readonly RunRequest[],
  { changes, accelerator = 'auto', brought = false, refuse = true }: SetUpOptions,
): Promise<Outcome<Job>> {
  const [{ suite }] = requests as [RunRequest];
  const possible =
    refuse && !brought ? await checkPossible(requests, accelerator, job) : success(undefined);
  if (!possible.ok) return possible;
  const system = brought
    ? await ensureSystem(['run'], job)
    : await ensureSystemForAll(requests, changes, job);
  if (!system.ok) return system;
  const chosen = await chooseQemu(requests[0]?.qemu, job);
  if (!chosen.ok) return chosen;
  const qemu = await withCxl(requests, chosen.value, job.store);
  if (!qemu.ok) return qemu;
  const powerCut = await powerCutTools(requests, { ...job, own: chosen.value });
  if (!powerCut.ok) return powerCut;
  const userland = await chooseUserland(requests[0] ?? {}, job);
  if (!userland.ok) return userland;
  const images = { ...job, userland: userland.value };
  const packed = await packSuite(suite, images);
  if (!packed.ok) return packed;
  const userTests = await packUserTests(requests, images);
  if (!userTests.ok) return userTests;
  const xfs = requests.some(({ fs }) => fs === 'xfs');
  return success({
    ...{ ...images, qemu: qemu.value, powerCut: powerCut.value },
    xfsprogs: xfs ? await versionIn(userland.value, 'mkfs.xfs') : undefined,
    ...{ suite: packed.value, userTests: userTests.value },
  });
}

async function ensureSystemForAll(
  requests: readonly RunRequest[],
  changes: readonly string[],
  job: OpenJob,
): Promise<Outcome<void>> {
  const kernels = new Map(requests.map((request) => [request.kernel, request]));
  for (const { kernel, build } of kernels.values()) {
    const system = await ensureSystemFor({ kernel, build, changes }, job);
    if (!system.ok) return system;
  }
  return success(undefined);
}

export interface SetUpOptions {
  changes: readonly string[];
  accelerator?: AcceleratorChoice;
  brought?: boolean;
  refuse?: boolean;
}

/** @param out path for the run's directory; undefined: the default */
export function openDirectory(
  job: OpenJob,
  out: string | undefined,
  first: Pick<Unit, 'fs' | 'test'>,
): Outcome<string> {
  return makeRunDirectory(out ?? defaultRunsDirectory(), first, job.started);
}

export interface RunInputs
  extends Omit<InputContext, 'directory' | 'store' | 'userTests' | 'packages'> {
  requests: readonly RunRequest[];
}

export interface OpenRun {
  directory: string;
  /** They name the copies of their files: the run uses what was kept. */
  requests: RunRequest[];
}

/** Makes the run's directory and copies the inputs to it, unless Ctrl-C came first. */
export async function openRun(
  job: Job,
  out: string | undefined,
  first: Pick<Unit, 'fs' | 'test'>,
  { requests, ...inputs }: RunInputs,
): Promise<Outcome<OpenRun>> {
  if (job.signal.aborted) return failure('interrupted', 'Interrupted', 'Start it again');
  const directory = openDirectory(job, out, first);
  if (!directory.ok) return directory;
  const context = {
    ...inputs,
    directory: directory.value,
    store: job.store,
    userTests: job.userTests,
    packages: job.userland.packages,
  };
  const kept = await keepInputs(requests, context);
  return kept.ok ? success({ directory: directory.value, requests: kept.value }) : kept;
}

export interface Ran {
  directory: string;
  /** The emulators of its guests, for the result. */
  emulators: readonly string[];
  fileSystems: readonly FileSystem[];
}

export interface JobResult<Result extends UnitResult = UnitResult> extends RunResult {
  units: Result[];
  tools: NonNullable<RunResult['tools']>;
}

/** Describes the host and its tools while the units run. */
export async function conclude<Result extends UnitResult>(
  job: OpenJob & { userland?: Userland },
  { directory, emulators, fileSystems }: Ran,
  running: Promise<Result[]>,
): Promise<JobResult<Result>> {
  const [units, host, tools] = await Promise.all([
    running,
    describeHost(...emulators),
    describeTools(fileSystems, job.userland),
  ]);
  return { ...runResult(job.argv, job.started, units, host, directory), units, tools };
}
