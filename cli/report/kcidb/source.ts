import type { InputFile, Inputs, RecordedKernel } from '../../inputs/schema.js';
import type { CompareUnit } from '../../results/compare-result.js';
import type { UnitResult } from '../../results/run-result.js';
import { sha256Of } from '../../sha256.js';
import { type KcidbNaming, objectId, resource } from './names.js';
import type { KcidbBuild, KcidbCheckout } from './schema.js';

/**
 * The checkout and the build of a unit, from the inputs that its run kept. Without them only the kernel's
 * name is known, and nothing is said about patches.
 */

export type KcidbUnit = UnitResult & Partial<Pick<CompareUnit, 'failure'>>;

export interface KcidbRun {
  directory: string;
  started: string;
  units: readonly KcidbUnit[];
  inputs: Inputs | undefined;
}

export interface Source {
  checkout: KcidbCheckout;
  build: KcidbBuild;
}

export function sourceOf(unit: KcidbUnit, run: KcidbRun, naming: KcidbNaming): Source {
  const { inputs, directory } = run;
  const kernel = inputs?.kernels.find(({ id }) => id === unit.kernel.id);
  const request = inputs?.requests.find(
    ({ variant, kernel, fs }) =>
      variant.name === unit.variant && kernel === unit.kernel.spec && fs === unit.fs,
  );
  const files = new Map(inputs?.files.map((file) => [file.name, file]));
  const pick = (names: readonly string[]) => names.flatMap((name) => files.get(name) ?? []);
  const changes = request && patchset(request.variant, kernel, pick);
  const kconfig = pick(request?.kconfig ?? []);
  const base = kernel?.tree?.commit ?? kernel?.package ?? [unit.kernel.spec, unit.kernel.release];
  // Without inputs, runs cannot be told apart by their patches.
  const key = changes ? [base, changes] : [base, unit.variant, directory];
  const checkout: KcidbCheckout = {
    id: objectId(naming, 'checkout', key),
    origin: naming.origin,
    ...commitOf(kernel),
    ...(changes ? filesOf(changes, directory, naming) : {}),
    comment: `${unit.kernel.spec} (${unit.kernel.release}), ${unit.variant}`,
    misc: {
      ...(kernel?.package ? { package: kernel.package } : {}),
      ...(changes ? otherChanges(changes) : {}),
    },
    ...startOf(run.started),
    ...validOf(unit),
  };
  const contents = kconfig.map(({ sha256 }) => sha256);
  const build: KcidbBuild = {
    id: objectId(naming, 'build', [checkout.id, unit.kernel.id, kernel?.compiler, contents]),
    origin: naming.origin,
    checkout_id: checkout.id,
    architecture: 'x86_64',
    ...(kernel?.compiler ? { compiler: kernel.compiler } : {}),
    ...(kconfig.length > 0
      ? { input_files: kconfig.map(({ name }) => resource(naming, directory, `inputs/${name}`)) }
      : {}),
    ...statusOf(unit),
    misc: { release: unit.kernel.release, id: unit.kernel.id },
  };
  return { checkout, build };
}

interface Patchset {
  files: InputFile[];
  steps: number | undefined;
}

function patchset(
  { changes, steps }: { changes: string[]; steps?: number | undefined },
  kernel: RecordedKernel | undefined,
  pick: (names: readonly string[]) => InputFile[],
): Patchset {
  const uncommitted = kernel?.tree?.diff;
  return { files: pick([...(uncommitted ? [uncommitted] : []), ...changes]), steps };
}

/** Nothing where the files are not what was applied: semantic patches, and a part of a series. */
function filesOf(changes: Patchset, directory: string, naming: KcidbNaming) {
  if (!isPatchset(changes)) return {};
  const { files } = changes;
  const hashes = files.map(({ sha256 }) => `${sha256}\n`).join('');
  return {
    patchset_files: files.map(({ name }) => resource(naming, directory, `inputs/${name}`)),
    patchset_hash: files.length === 0 ? '' : sha256Of(hashes),
  };
}

function otherChanges(changes: Patchset) {
  if (isPatchset(changes)) return {};
  const { files, steps } = changes;
  const named = files.map(({ name, sha256 }) => ({ name, sha256 }));
  return { changes: named, ...(steps === undefined ? {} : { steps }) };
}

/** Whether `git apply` of all files makes the same source. */
function isPatchset({ files, steps }: Patchset): boolean {
  return steps === undefined && !files.some(({ name }) => name.endsWith('.cocci'));
}

function commitOf(kernel: RecordedKernel | undefined) {
  const commit = kernel?.tree?.commit ?? '';
  return /^[0-9a-f]{40}$/.test(commit) ? { git_commit_hash: commit } : {};
}

function startOf(started: string) {
  const date = new Date(started);
  return Number.isNaN(date.getTime()) ? {} : { start_time: date.toISOString() };
}

function validOf({ failure }: KcidbUnit) {
  return failure?.kind === 'change-rejected' ? { valid: false } : {};
}

/** A kernel that ran a test was built; whether one that ran none was, is known only from a failed build. */
function statusOf({ failure, verdict }: KcidbUnit): Pick<KcidbBuild, 'status'> {
  if (failure?.kind === 'build-failed') return { status: 'FAIL' };
  return verdict === 'pass' || verdict === 'fail' ? { status: 'PASS' } : {};
}
