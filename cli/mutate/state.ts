import { join } from 'node:path';
import {
  baseTestSchema,
  endingSchema,
  mutantSchema,
  type TestedMutant,
} from '../results/mutation-result.js';
import { newestState } from '../results/newest-state.js';
import { writeJson } from '../results/run-directory.js';
import { z } from '../schema.js';

/**
 * What is known so far: `state.json` in the run's directory. It is replaced as a whole after the tests on the
 * unchanged module and after each mutant, so an interrupted run can always be resumed.
 */

const FILE = 'state.json';

const stateSchema = z.object({
  schemaVersion: z.literal(1),
  /** A hash of everything that the outcomes depend on. */
  question: z.string(),
  base: z.array(baseTestSchema),
  /** In the order in which they ended. */
  mutants: z.array(mutantSchema.extend(endingSchema.shape)),
});
export type MutationState = z.infer<typeof stateSchema>;

export function newState(question: string): MutationState {
  return { schemaVersion: 1, question, base: [], mutants: [] };
}

export function writeState(directory: string, state: MutationState): void {
  writeJson(join(directory, FILE), state);
}

/** The newest run of this question below a directory; undefined if there is none. */
export function findState(
  parent: string,
  question: string,
): { directory: string; state: MutationState } | undefined {
  return newestState(parent, FILE, stateSchema, question);
}

/** The kept outcome of a mutant. Its number may differ: another limit draws more, never others. */
export function keptEnding(state: MutationState, diff: string): TestedMutant | undefined {
  return state.mutants.find((one) => one.diff === diff);
}
