import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isBundle, unpackBundle } from '../bundle/read.js';
import { checkTrust } from '../bundle/trust.js';
import type { KeptRun } from '../diff/sides.js';
import { hasInputs, type KeptInputs, readInputs } from '../inputs/read.js';
import { failure, type Outcome, success } from '../outcome.js';
import { readResult, splitUnit } from '../results/read.js';
import type { UnitResult } from '../run/result.js';

/** What is to be replayed. */
export interface Target {
  /** As the user named it. */
  name: string;
  run: KeptRun;
  /** At least one. */
  units: readonly UnitResult[];
  inputs: KeptInputs;
  /** For people: what is not as it was, and what is done about it. */
  notes: string[];
}

export interface BundleFlags {
  /** The bundle may run programs on this machine. */
  trust: boolean;
  /** The user's own, in place of the bundle's. */
  kernel: string | undefined;
  /** Where a bundle is unpacked; there and empty, ours alone. */
  scratch: string;
}

/** @param name a run as `openTarget` takes it, or a bundle */
export async function openRunOrBundle(
  name: string | undefined,
  { trust, kernel, scratch }: BundleFlags,
): Promise<Outcome<Target>> {
  const [file, number] = splitUnit(name);
  if (file === undefined || !(await isBundle(file))) return openTarget(name);
  const unpacked = await unpackBundle(file, scratch);
  if (!unpacked.ok) return unpacked;
  const target = await openTarget(number === undefined ? scratch : `${scratch}#${number}`);
  if (!target.ok) return target;
  const ownKernel = kernel !== undefined;
  const trusted = trust ? success(undefined) : await checkTrust(target.value.inputs, { ownKernel });
  if (!trusted.ok) return trusted;
  return success({ ...target.value, name: name ?? file });
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
  if (kept.value.kind === 'bisect') {
    return failure(
      'usage',
      `${kept.value.directory} is a bisection`,
      'Its own command with --resume goes on with it; replay takes runs of `run` and `compare`',
    );
  }
  const all = kept.value.result.units as readonly UnitResult[];
  const units = number === undefined ? all : all.slice(number - 1, number);
  if (units.length === 0) {
    return number === undefined
      ? failure('usage', `${kept.value.directory} has no units`, 'Name another run')
      : failure(
          'usage',
          `${kept.value.directory} has no unit ${number}`,
          `Give a number from 1 to ${all.length}`,
        );
  }
  const inputs = await readInputs(kept.value.directory);
  if (!inputs.ok) return inputs;
  const notes = [...(await changedSince(inputs.value)), ...ranTogether(units)];
  return success({
    name: name ?? kept.value.directory,
    run: kept.value,
    units,
    inputs: inputs.value,
    notes,
  });
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

function ranTogether(units: readonly UnitResult[]): string[] {
  return units.some(({ together }) => together && together.position > 1)
    ? ['tests shared guests then (--together); each gets one of its own now']
    : [];
}
