import { z } from '../schema.js';
import type { Proportion } from '../statistics/proportion.js';
import { VERDICTS } from '../verdict/judge.js';
import type { RunResult } from './run-result.js';

/** The result of `daxrepro mutate`, for `--json`, mutation.json and the reports. Pure. */

export const MUTANT_OUTCOMES = [
  /** A test failed on it that passes on the unchanged module. */
  'killed',
  /** A test failed on it because it took too long or the guest hung, and nothing else was found. */
  'timed-out',
  /** All tests passed. */
  'survived',
  /** No test failed, but at least one has no verdict (invalid, error, notrun). */
  'no-verdict',
  'not-compiled',
  /** It compiles to the same object code as the unchanged module. */
  'identical',
] as const;
export type MutantOutcome = (typeof MUTANT_OUTCOMES)[number];

/** A place in the kernel's source that an operator changes. */
export const placeSchema = z.object({
  operator: z.string(),
  /** `fs/ext2/inode.c` */
  file: z.string(),
  /** From 1. */
  line: z.number().int(),
  column: z.number().int(),
  function: z.string(),
});
export type MutantPlace = z.infer<typeof placeSchema>;

/** A mutant: one change that an operator makes at one place. */
export const mutantSchema = placeSchema.extend({
  /** From 1, in the order in which they were drawn. */
  number: z.number().int(),
  /** Its patch, relative to the run's directory. */
  patch: z.string(),
  diff: z.string(),
});
export type Mutant = z.infer<typeof mutantSchema>;

/** What became of a mutant. */
export const endingSchema = z.object({
  outcome: z.enum(MUTANT_OUTCOMES),
  /** The outcome without the tests that cut the power; null if there are none of these, or only these. */
  withoutPowerCut: z.enum(MUTANT_OUTCOMES).nullable(),
  /** One sentence. May contain the guest's words. */
  reason: z.string(),
  /** The test that decided; null if none did. */
  test: z.string().nullable(),
  /** The first serious finding of that test. */
  finding: z.object({ tool: z.string(), signature: z.string(), message: z.string() }).nullable(),
  /** Tests that ran, including the one that decided. */
  tests: z.number().int(),
  buildSeconds: z.number(),
  /** All tests together, without the build. */
  seconds: z.number(),
  /** Folders of the tests without a pass, relative to the run's directory. */
  folders: z.array(z.string()),
  /** The command that runs the test that decided; null if none did. */
  replay: z.string().nullable(),
});
export type MutantEnding = z.infer<typeof endingSchema>;

/** A test on the unchanged module. */
export const baseTestSchema = z.object({
  test: z.string(),
  powerCut: z.boolean(),
  verdict: z.enum(VERDICTS),
  reason: z.string(),
  seconds: z.number(),
});
export type BaseTest = z.infer<typeof baseTestSchema>;

export type TestedMutant = Mutant & MutantEnding;

export interface MutationScore {
  /** Killed or timed out. */
  detected: number;
  survived: number;
  /** Detected, as a share of detected and survived; null if there are none of either. */
  score: Proportion | null;
  counts: Record<MutantOutcome, number>;
}

export interface MutationResult extends MutationScore {
  /** Of the same mutants without the tests that cut the power; null as for a mutant. */
  withoutPowerCut: MutationScore | null;
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  command: string[];
  question: {
    fs: string;
    kernel: { spec: string; release: string; id: string };
    suite: { name: string; version: string };
    powerCut: boolean;
    pmem: string;
    seed: number;
    limit: number;
    operators: string[];
    files: string[];
    /** How the functions were chosen. */
    functions: string;
  };
  /** Places that the operators change in the chosen functions. */
  candidates: number;
  /** Mutants that were drawn. `mutants` lacks those that an interruption kept from running. */
  drawn: number;
  base: BaseTest[];
  mutants: TestedMutant[];
  host: RunResult['host'];
  tools?: RunResult['tools'];
  started: string;
  durationSeconds: number;
  directory: string;
}
