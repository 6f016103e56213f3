import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { Mutant, MutantPlace } from '../results/mutation-result.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { spatchIdentity } from '../variant/semantic-patch.js';
import { numbered } from '../words.js';
import { drawOrder } from './draw.js';
import { findPlaces } from './matches.js';
import { makeMutant } from './mutant.js';
import type { Operator } from './operators.js';
import type { CheckedMutation } from './request.js';

/** Draws mutants: the same for the same kernel, rules, scope and seed. */

export interface Generation {
  /** The number of places to draw from. */
  candidates: number;
  mutants: Mutant[];
}

type Sources = Kernel & { build: NonNullable<Kernel['build']> };

/** How many spatch processes run side by side. */
const AT_A_TIME = 2;

export async function generateMutants(
  kernel: Kernel,
  fs: FileSystem,
  { operators, scope, seed, limit }: Omit<CheckedMutation, 'requests'>,
  context: KernelContext,
): Promise<Outcome<Generation>> {
  const sources = sourcesOf(kernel);
  if (!sources.ok) return sources;
  const places = await findPlaces(sources.value, fs, operators, context);
  if (!places.ok) return places;
  const order = drawOrder(places.value.filter(scope.includes), seed);
  if (order.length === 0) return nothingToChange(fs);
  const mutants: Mutant[] = [];
  const diffs = new Set<string>();
  for (let at = 0; at < order.length && mutants.length < limit; at += AT_A_TIME) {
    const next = order.slice(at, at + AT_A_TIME);
    const made = await Promise.all(
      next.map((place) => patchOf(place, operators, sources.value, context)),
    );
    for (const [index, patch] of made.entries()) {
      if (!patch.ok) return patch;
      const place = next[index] as MutantPlace;
      // Two operators can make the same change.
      if (patch.value === '' || diffs.has(patch.value) || mutants.length === limit) continue;
      diffs.add(patch.value);
      const number = mutants.length + 1;
      const file = `mutants/${numbered(number - 1)}.patch`;
      mutants.push({ number, ...place, patch: file, diff: patch.value });
    }
    const text = `Making mutants of ${fs}: ${mutants.length} of ${Math.min(limit, order.length)}`;
    context.progress({ type: at === 0 ? 'stage' : 'detail', text });
  }
  return success({ candidates: order.length, mutants });
}

/** Writes the patches of mutants to the run's directory. */
export async function writePatches(mutants: readonly Mutant[], directory: string): Promise<void> {
  await mkdir(join(directory, 'mutants'), { recursive: true });
  for (const { patch, diff } of mutants) await writeFile(join(directory, patch), diff);
}

function sourcesOf(kernel: Kernel): Outcome<Sources> {
  const { build } = kernel;
  if (build) return success({ ...kernel, build });
  return failure(
    'usage',
    `There are no sources to change for ${kernel.spec}`,
    'Use a packaged kernel, --kernel debian:6.1, or one that is built: --kernel src:DIR',
  );
}

function nothingToChange(fs: FileSystem) {
  return failure(
    'usage',
    `The operators find nothing to change in the chosen functions and files of ${fs}`,
    'Choose others with --functions, --files or --operators; --functions all takes every function',
  );
}

/** The patch of a mutant, from the cache if it was made before; empty if the operator changes nothing. */
async function patchOf(
  place: MutantPlace,
  operators: readonly Operator[],
  { id, build: { source } }: Sources,
  context: KernelContext,
): Promise<Outcome<string>> {
  const operator = operators.find(({ name }) => name === place.operator) as Operator;
  const key = cacheKey({
    ...{ kernel: id, source, rule: operator.rule, place: JSON.stringify(place) },
    spatch: await spatchIdentity(),
  });
  const entry = await lookUpOrMake(context.store, 'mutant', key, async (directory) => {
    const scratch = join(directory, 'scratch');
    const made = await makeMutant(place, operator, { source, scratch, signal: context.signal });
    if (!made.ok) return made;
    await rm(scratch, { recursive: true, force: true });
    await writeFile(join(directory, 'mutant.patch'), made.value ?? '');
    return made;
  });
  if (!entry.ok) return entry;
  return success(await readFile(join(entry.value, 'mutant.patch'), 'utf8'));
}
