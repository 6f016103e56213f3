import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { type MutantPlace, placeSchema } from '../results/mutation-result.js';
import { z } from '../schema.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { spatchIdentity } from '../variant/semantic-patch.js';
import { inParallel } from './in-parallel.js';
import { listingRule, type Operator, placesIn } from './operators.js';

/** Finds every place that an operator could change. */

const SECTION = 'mutation-places';

/** How many spatch processes run side by side. */
const AT_A_TIME = 2;

/** The places of all operators in a file system's sources, by operator and then in the order of the source. */
export async function findPlaces(
  kernel: Kernel & { build: NonNullable<Kernel['build']> },
  fs: FileSystem,
  operators: readonly Operator[],
  context: KernelContext,
): Promise<Outcome<MutantPlace[]>> {
  const found = new Map<string, MutantPlace[]>();
  const listed = await inParallel(operators, AT_A_TIME, async (operator) => {
    const places = await placesOf(kernel, fs, operator, context);
    if (!places.ok) return places;
    found.set(operator.name, places.value);
    return success(undefined);
  });
  if (!listed.ok) return listed;
  return success(operators.flatMap(({ name }) => found.get(name) ?? []));
}

async function placesOf(
  kernel: Kernel & { build: NonNullable<Kernel['build']> },
  fs: FileSystem,
  operator: Operator,
  context: KernelContext,
): Promise<Outcome<MutantPlace[]>> {
  const rule = listingRule(operator);
  const { source } = kernel.build;
  const key = cacheKey({ kernel: kernel.id, source, fs, rule, spatch: await spatchIdentity() });
  const entry = await lookUpOrMake(context.store, SECTION, key, async (directory) => {
    const text = `Looking for ${operator.name} in ${fs} of ${kernel.release}`;
    context.progress({ type: 'stage', text });
    const listed = await list(operator, rule, { source, fs, signal: context.signal });
    if (!listed.ok) return listed;
    await writeFile(join(directory, 'places.json'), JSON.stringify(listed.value));
    return listed;
  });
  if (!entry.ok) return entry;
  const text = await readFile(join(entry.value, 'places.json'), 'utf8');
  return success(z.array(placeSchema).parse(JSON.parse(text)));
}

async function list(
  { name }: Operator,
  rule: string,
  { source, fs, signal }: { source: string; fs: FileSystem; signal: AbortSignal | undefined },
): Promise<Outcome<MutantPlace[]>> {
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  try {
    const file = join(scratch, `${name}.cocci`);
    await writeFile(file, rule);
    const { subdirectory } = RECIPES[fs];
    const result = await runTool([...SPATCH, '--sp-file', file, '--dir', subdirectory], {
      ...{ cwd: source, env: { LC_ALL: 'C' } },
      ...(signal ? { signal } : {}),
    });
    if (result.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
    if (!result.ok) return spatchFailed(name, result.all || result.summary);
    return success(placesIn(result.stdout).map((place) => ({ operator: name, ...place })));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Rules look at syntax alone, so no header has to be read. */
export const SPATCH = ['spatch', '--very-quiet', '--no-includes', '--max-width', '1000'] as const;

export function spatchFailed(operator: string, said: string) {
  const detail = said.split('\n').slice(-20).join('\n');
  return failure(
    'tool-failed',
    `spatch cannot use the operator ${operator}`,
    'Use a spatch with Python scripting, as Debian packages it (`spatch --version` tells), or leave this operator out with --operators',
    { detail },
  );
}
