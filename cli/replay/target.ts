import { readFile } from 'node:fs/promises';
import { type BroughtKernels, openKernels } from '../bundle/packed-kernels.js';
import { isBundle, unpackBundle } from '../bundle/read.js';
import { checkSuiteTrust, checkTrust } from '../bundle/trust.js';
import type { KeptRun } from '../diff/sides.js';
import { hasInputs, type KeptInputs, readInputs } from '../inputs/read.js';
import type { KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import { type KeptResult, numberedUnits, readResult, splitUnit } from '../results/read.js';
import { type UnitResult, worstVerdict } from '../results/run-result.js';
import { sha256Of } from '../sha256.js';
import { plural } from '../words.js';

/** The run or units to replay. */
export interface Target {
  /** The name that the user gave. */
  name: string;
  /** All units of a bisection are presented as one run. */
  run: KeptRun;
  /** The original kept result. */
  kept: KeptResult;
  /** At least one. */
  units: readonly UnitResult[];
  /** Tests that ran before a single unit in its guest (--together). They are run again, too. */
  company: readonly UnitResult[];
  inputs: KeptInputs;
  /** Notes for the user: what has changed, and what daxrepro does about it. */
  notes: string[];
  /** The kernels of the bundle, if it has any and the user gave none. */
  brought?: BroughtKernels | undefined;
}

export interface BundleFlags {
  /** Whether the bundle may run programs on this machine. */
  trust: boolean;
  /** The user's kernel, which replaces the bundle's. */
  kernel: string | undefined;
  /** An existing, empty, private directory for unpacking. */
  scratch: string;
  context: KernelContext;
}

/** @param name a run, as for `openTarget`, or a bundle */
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
  // A bundle with its own kernels builds nothing on this machine.
  const harmless = trust || brought.value !== undefined;
  const trusted = harmless
    ? success(undefined)
    : await checkTrust(target.value.inputs, { ownKernel });
  if (!trusted.ok) return trusted;
  const suite = trust ? success(undefined) : await checkSuiteTrust(target.value.inputs);
  if (!suite.ok) return suite;
  const note =
    brought.value &&
    `using the kernel in the bundle: ${brought.value.kernels.map(({ release }) => release).join(', ')}`;
  const notes = [...target.value.notes, ...(note ? [note] : [])];
  return success({ ...target.value, name: name ?? file, notes, brought: brought.value });
}

const REPLAYABLE = {
  accept: ({ directory }: { directory: string }) => hasInputs(directory),
  what: 'that has kept its inputs',
};

/** @param name a run, as for `readResult`; `#` and a number after it select one unit */
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

/** Notes about files that changed since the run. The replay uses the kept copies. */
async function changedSince({ inputs }: KeptInputs): Promise<string[]> {
  const notes: string[] = [];
  for (const { from, sha256 } of inputs.files) {
    const content = from === undefined ? undefined : await readFile(from).catch(() => undefined);
    if (!content) continue;
    if (sha256Of(content) === sha256) continue;
    notes.push(`${from} has changed since the run: using the copy that the run kept`);
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
  return [
    `its guest ran ${plural(length, 'test')} before it (--together): running them again, too`,
  ];
}
