import { z } from '../schema.js';
import type { Proportion } from '../statistics/proportion.js';
import { VERDICTS } from '../verdict/judge.js';
import type { RunResult } from './run-result.js';

/** A bisection's outcome as `--json` has it and the reports want it. Pure. */

export interface BisectionResult {
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  command: string[];
  question: {
    fs: string;
    tests: string[];
    signature: string | null;
    kernel: string;
    /** The tree and its two commits, or the series. */
    tree?: string;
    good?: string;
    bad?: string;
    series?: string;
    changes: number;
    /** Things to build among them, with the good end. */
    builds: number;
  } & Limits;
  answer: Answer;
  /** Of what was run or could not be, in the history's order. */
  path: PathEntry[];
  /** In the order they ended. */
  runs: RunEntry[];
  builds: BuildEntry[];
  host: { kernel: string; qemu: string; node: string; cpus: number };
  /** As of a run. */
  tools?: RunResult['tools'];
  started: string;
  durationSeconds: number;
  directory: string;
}

export interface Answer {
  ending: Ending['type'];
  /** One sentence. */
  summary: string;
  /** How probable it is that one of `culprits` is the first bad change. */
  probability: number | null;
  culprits: Culprit[];
  /** Of builds that have the culprit; null where nothing failed or it is not known. */
  rate: Proportion | null;
  /** About how many runs more would tell; null where enough is known. */
  runsNeeded: number | null;
}

export interface Culprit {
  id: string;
  title: string;
  author: string | null;
  date: string | null;
  diffstat: string | null;
  /** What runs of it, or of what has it, found: signatures and how many runs had each. */
  findings: { signature: string; runs: number }[];
}

export interface PathEntry {
  /** `good`, a commit or `3/12`. */
  change: string;
  title: string;
  good: number;
  bad: number;
  unknown: number;
  /** Why it could not be tested; null where it could. */
  skipped: string | null;
  /** How probable it is that this, or what stands between it and the entry before, is the first bad one. */
  probability: number;
}

/** The rule by which a bisection goes on and ends. Pure: it is the same on guests and in simulations. */

export interface Limits {
  /** The answer is to be right with this probability. */
  confidence: number;
  /** The rarest failure that is looked for. */
  leastRate: number;
  maxRuns: number;
}

export type Ending =
  /** One of these changes is the first bad one; several where what lies between cannot be tested. */
  | { type: 'found'; changes: number[]; probability: number }
  /** The bad end never failed. */
  | { type: 'not-seen'; runs: number }
  /** The good end fails as well. */
  | { type: 'good-fails' }
  /** The bad end cannot be built, or does not boot. */
  | { type: 'bad-untestable' }
  | { type: 'gave-up'; changes: number[]; probability: number; needed: number };

export const runEntrySchema = z.object({
  /** What was built: see `Change.content`. */
  content: z.string(),
  /** The commit or patch that it was built from. */
  change: z.string(),
  /** Of this build, from 1. */
  attempt: z.number().int(),
  seed: z.number().int(),
  outcome: z.enum(['good', 'bad', 'unknown']),
  verdict: z.enum(VERDICTS),
  reason: z.string(),
  signatures: z.array(z.string()),
  seconds: z.number(),
  /** Directories of its units, in the bisection's. */
  folders: z.array(z.string()),
  /** How probable the best answer was afterwards. */
  probability: z.number().optional(),
});

export const buildEntrySchema = z.object({
  content: z.string(),
  change: z.string(),
  ok: z.boolean(),
  seconds: z.number(),
  /** Why it cannot be tested. */
  reason: z.string().optional(),
});
export type RunEntry = z.infer<typeof runEntrySchema>;
export type BuildEntry = z.infer<typeof buildEntrySchema>;
