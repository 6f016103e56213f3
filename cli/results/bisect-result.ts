import { z } from '../schema.js';
import type { Proportion } from '../statistics/proportion.js';
import { VERDICTS } from '../verdict/judge.js';
import type { RunResult } from './run-result.js';

/** The result of a bisection, for `--json` and the reports. Pure. */

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
    /** The number of different builds, including the good end. */
    builds: number;
  } & Limits;
  answer: Answer;
  /** The changes that were run or skipped, in the order of the history. */
  path: PathEntry[];
  /** In the order in which they ended. */
  runs: RunEntry[];
  builds: BuildEntry[];
  host: { kernel: string; qemu: string; node: string; cpus: number };
  /** As in the result of a run. */
  tools?: RunResult['tools'];
  started: string;
  durationSeconds: number;
  directory: string;
}

export interface Answer {
  ending: Ending['type'];
  /** One sentence. */
  summary: string;
  /** The probability that one of `culprits` is the first bad change. */
  probability: number | null;
  culprits: Culprit[];
  /** The failure rate of builds with the culprit; null if nothing failed or it is unknown. */
  rate: Proportion | null;
  /** The estimated number of runs still needed; null if none are. */
  runsNeeded: number | null;
}

export interface Culprit {
  id: string;
  title: string;
  author: string | null;
  date: string | null;
  diffstat: string | null;
  /** The signatures in runs of this change or later ones, and the number of runs with each. */
  findings: { signature: string; runs: number }[];
}

export interface PathEntry {
  /** `good`, a commit or `3/12`. */
  change: string;
  title: string;
  good: number;
  bad: number;
  unknown: number;
  /** Why it could not be tested; null if it could. */
  skipped: string | null;
  /** The probability that the first bad change is this one, or lies between it and the previous entry. */
  probability: number;
}

/** When a bisection may end. */

export interface Limits {
  /** The required probability of the answer. */
  confidence: number;
  /** The lowest failure rate to look for. */
  leastRate: number;
  maxRuns: number;
}

export type Ending =
  /** One of these changes is the first bad one. There are several if no testable build separates them. */
  | { type: 'found'; changes: number[]; probability: number }
  /** The bad end never failed. */
  | { type: 'not-seen'; runs: number }
  /** The good end fails as well. */
  | { type: 'good-fails' }
  /** The bad end cannot be built, or does not boot. */
  | { type: 'bad-untestable' }
  | { type: 'gave-up'; changes: number[]; probability: number; needed: number };

export const runEntrySchema = z.object({
  /** Identifies what was built: see `Change.content`. */
  content: z.string(),
  /** The commit or patch that it was built from. */
  change: z.string(),
  /** The attempt at this build, from 1. */
  attempt: z.number().int(),
  seed: z.number().int(),
  outcome: z.enum(['good', 'bad', 'unknown']),
  verdict: z.enum(VERDICTS),
  reason: z.string(),
  signatures: z.array(z.string()),
  seconds: z.number(),
  /** Folders of its units in the directory of the bisection. */
  folders: z.array(z.string()),
  /** The probability of the best answer after this run. */
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
