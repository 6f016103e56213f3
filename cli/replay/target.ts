import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type BroughtKernels, openKernels } from '../bundle/packed-kernels.js';
import { isBundle, unpackBundle } from '../bundle/read.js';
import { checkTrust } from '../bundle/trust.js';
import type { KeptRun } from '../diff/sides.js';
import { hasInputs, type KeptInputs, readInputs } from '../inputs/read.js';
import type { KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import { type KeptResult, numberedUnits, readResult, splitUnit } from '../results/read.js';
import { type UnitResult, worstVerdict } from '../results/run-result.js';
import { plural } from '../words.js';

/** What is to be replayed. */
export interface Target {
  /** As the user named it. */
  name: string;
  /** A bisection is a run of all that it ran. */
  run: KeptRun;
  /** The same as it was kept. */
  kept: KeptResult;
  /** At least one. */
  units: readonly UnitResult[];
  /** What the guest of a single unit ran before it (--together), which is run again, too. */
  company: readonly UnitResult[];
  inputs: KeptInputs;
  /** For people: what is not as it was, and what is done about it. */
  notes: string[];
  /** Those of a bundle that has them, where the user names none. */
  brought?: BroughtKernels | undefined;
}

export interface BundleFlags {
  /** The bundle may run programs on this machine. */
  trust: boolean;
  /** The user's own, in place of the bundle's. */
  kernel: string | undefined;
  /** Where a bundle is unpacked; there and empty, ours alone. */
  scratch: string;
  context: KernelContext;
}

/** @param name a run as `openTarget` takes it, or a bundle */
export async function openRunOrBundle(
  name: string | undefined,
  { trust, kernel, scratch, context }: BundleFlags,
): Promise<Outcome<Target>> {
  const [file, number] = splitUnit(name);
  if (file === undefined || !(await isBundle(file))) return openTarget(name);
  const unpacked = await unpackBundle(file, scratch);
  if (!unpacked.ok) return unpacked;
  const target = await openTarget(number === undefined ? scratch : `${scratch}#${number}`);
  if (!target.ok) return target;
  const ownKernel = kernel !== undefined;
  const brought = ownKernel
    ? success(undefined)
    : await openKernels(unpacked.value, scratch, context);
  if (!brought.ok) return brought;
  // With kernels of its own nothing is patched or built here.
  const harmless = trust || brought.value !== undefined;
  const trusted = harmless
    ? success(undefined)
    : await checkTrust(target.value.inputs, { ownKernel });
  if (!trusted.ok) return trusted;
  const note =
    brought.value && `the kernel is the bundle's own: ${brought.value.kernels[0]?.release}`;
  const notes = [...target.value.notes, ...(note ? [note] : [])];
  return success({ ...target.value, name: name ?? file, notes, brought: brought.value });
}

const REPLAYABLE = {
  accept: ({ directory }: { directory: string }) => hasInputs(directory),
  what: 'that has kept its inputs',
};

/** @param name a run as `readResult` takes it, and `#` and a unit's number where one is meant */
export async function openTarget(name: string | undefined): Promise<Outcome<Target>> {
  const [run, number] = splitUnit(name);
  const kept = readResult(run, REPLAYABLE);
  if (!kept.ok) return kept;
  const numbered = numberedUnits(kept.value);
  if (!numbered.ok) return numbered;
  const all = numbered.value;
  const units = all
    .filter((one) => number === undefined || one.number === number)
    .map(({ unit }) => unit);
  if (units.length === 0) {
    return number === undefined
      ? failure('usage', `${kept.value.directory} has no units`, 'Name another run')
      : failure(
          'usage',
          `${kept.value.directory} has no unit ${number}`,
          `Give a number from ${all[0]?.number ?? 1} to ${all.at(-1)?.number ?? 1}`,
        );
  }
  const inputs = await readInputs(kept.value.directory);
  if (!inputs.ok) return inputs;
  const company = number === undefined ? [] : companyOf(units[0] as UnitResult, all);
  const notes = [...(await changedSince(inputs.value)), ...describeCompany(company)];
  return success({
    name: name ?? kept.value.directory,
    run: asRun(kept.value, all),
    kept: kept.value,
    units,
    company,
    inputs: inputs.value,
    notes,
  });
}

function asRun(kept: KeptResult, all: readonly { unit: UnitResult }[]): KeptRun {
  if (kept.kind !== 'bisect') return kept;
  const { schemaVersion, tool, command, host, tools, started, durationSeconds, directory } =
    kept.result;
  const units = all.map(({ unit }) => unit);
  const what = { schemaVersion, tool, command, host, started, durationSeconds, directory };
  const result = { ...what, units, verdict: worstVerdict(units), repeats: [] };
  return {
    kind: 'run',
    directory: kept.directory,
    result: { ...result, ...(tools ? { tools } : {}) },
  };
}

/** Files that the user went on editing: what is run is the copy of then. */
async function changedSince({ inputs }: KeptInputs): Promise<string[]> {
  const notes: string[] = [];
  for (const { from, sha256 } of inputs.files) {
    const content = from === undefined ? undefined : await readFile(from).catch(() => undefined);
    if (!content) continue;
    if (createHash('sha256').update(content).digest('hex') === sha256) continue;
    notes.push(`${from} has changed since: the run's copy of it is used`);
  }
  return notes;
}

function companyOf(of: UnitResult, all: readonly { unit: UnitResult }[]): UnitResult[] {
  const { guest, position = 1 } = of.together ?? {};
  if (guest === undefined) return [];
  const before = ({ together }: UnitResult) =>
    together?.guest === guest && together.position < position;
  return all.map(({ unit }) => unit).filter(before);
}

function describeCompany({ length }: readonly UnitResult[]): string[] {
  if (length === 0) return [];
  return [`its guest ran ${plural(length, 'test')} before it (--together), and does again`];
}
