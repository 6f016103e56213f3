import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../chunks/schema.js';
import { failure, type Outcome, success } from '../outcome.js';
import { writeJson } from '../results/run-directory.js';
import { z } from '../schema.js';
import { type EngineRequest, engineSchema } from './request.js';

/** An engine hands chunks to other machines. Whether a unit has a result, only its file says. */
export interface Engine {
  /**
   * Starts these chunks.
   *
   * @param avoid machines that failed, by the engine's names
   */
  submit(chunks: readonly number[], avoid: readonly string[]): Promise<Outcome<Submission>>;
  /** Chunks that wait or run, as far as the engine says; undefined if it does not answer. */
  pending(submissions: readonly Submission[]): Promise<ReadonlySet<number> | undefined>;
  /** The machines on which a chunk ended without all its results. */
  failedOn(chunk: number, submissions: readonly Submission[]): string[];
  cancel(submissions: readonly Submission[]): Promise<void>;
}

const submissionSchema = z.object({
  /** Its number in the run, from 1: part of names of files. */
  number: z.number(),
  chunks: z.array(z.number()),
  /** Slurm's job, or the process that runs GNU parallel. */
  job: z.string(),
  /** Tasks of the job. */
  tasks: z.number(),
  at: z.number(),
});

export type Submission = z.infer<typeof submissionSchema>;

/** `engine.json`: what was handed to whom, so that another process can go on watching. */
const stateSchema = z.object({
  schemaVersion: z.literal(1),
  plan: z.string(),
  generation: z.number(),
  request: engineSchema,
  submissions: z.array(submissionSchema),
});

export type EngineState = z.infer<typeof stateSchema>;

const fileOf = (directory: string) => join(directory, 'engine.json');

export function newState({ id, generation }: Plan, request: EngineRequest): EngineState {
  return { schemaVersion: 1, plan: id, generation, request, submissions: [] };
}

export function keepState(directory: string, state: EngineState): void {
  writeJson(fileOf(directory), state);
}

export function readState(directory: string, plan: Plan): Outcome<EngineState> {
  let state: EngineState | undefined;
  try {
    state = stateSchema.safeParse(JSON.parse(readFileSync(fileOf(directory), 'utf8'))).data;
  } catch {
    // Nothing was started.
  }
  if (state?.plan === plan.id && state.generation === plan.generation) return success(state);
  return failure(
    'usage',
    `No engine runs the chunks in ${directory}`,
    'Leave --wait out, or start the chunks with --on',
  );
}
