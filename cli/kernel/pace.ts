import { availableParallelism } from 'node:os';
import { z } from '../schema.js';
import { readReference, updateReference } from '../store/reference.js';
import type { Store } from '../store/store.js';

/**
 * Estimates how long a full build takes here: learned from earlier builds, or guessed before the
 * first.
 */

const paceSchema = z.object({
  /** From the last whole build: compiled and linked objects, and seconds. */
  objects: z.number().int().positive(),
  seconds: z.number().positive(),
  cpus: z.number().int().positive(),
});

type Pace = z.infer<typeof paceSchema>;

const REFERENCE = 'kernel-build-pace';

/** Measured on two cores of a rented machine of 2026: debsrc:6.1 with our fragments and gcc 12. */
const RULE_OF_THUMB: Pace = { objects: 1809, seconds: 560, cpus: 2 };

export interface Estimate {
  objects: number;
  minutes: number;
  learned: boolean;
}

export async function estimateBuild(store: Store): Promise<Estimate> {
  const read = paceSchema.safeParse(await readReference(store, REFERENCE));
  const { objects, seconds, cpus } = read.success ? read.data : RULE_OF_THUMB;
  const here = (seconds * cpus) / availableParallelism();
  return { objects, minutes: Math.max(1, Math.round(here / 60)), learned: read.success };
}

/**
 * Remembers the duration of a build that started from nothing. Failing to remember it does no harm.
 */
export async function rememberBuild(
  store: Store,
  { objects, seconds }: { objects: number; seconds: number },
): Promise<void> {
  if (objects === 0) return;
  const pace: Pace = { objects, seconds, cpus: availableParallelism() };
  await updateReference(store, REFERENCE, () => pace);
}
