import { join } from 'node:path';
import { buildEntrySchema, runEntrySchema } from '../results/bisect-result.js';
import { newestState } from '../results/newest-state.js';
import { writeJson } from '../results/run-directory.js';
import { z } from '../schema.js';

/**
 * The runs and builds of a bisection: `bisect.json` in its directory. It is replaced as a whole after
 * each run and each build, so an interrupted bisection can always be resumed.
 */

const FILE = 'bisect.json';

const stateSchema = z.object({
  schemaVersion: z.literal(1),
  /** A hash of everything that the answer depends on. */
  question: z.string(),
  seed: z.number().int(),
  runs: z.array(runEntrySchema),
  builds: z.array(buildEntrySchema),
});
export type BisectionState = z.infer<typeof stateSchema>;

export function newState(question: string, seed: number): BisectionState {
  return { schemaVersion: 1, question, seed, runs: [], builds: [] };
}

export function writeState(directory: string, state: BisectionState): void {
  writeJson(join(directory, FILE), state);
}

/** The newest bisection of this question below a directory; undefined if there is none. */
export function findState(
  parent: string,
  question: string,
): { directory: string; state: BisectionState } | undefined {
  return newestState(parent, FILE, stateSchema, question);
}
