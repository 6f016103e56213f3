import { answerOf } from '../../cli/bisect/answer.js';
import { planBisection } from '../../cli/bisect/plan.js';
import { findingsOf, pathOf } from '../../cli/bisect/result.js';
import { linearChanges } from '../../cli/bisect/simulate.js';
import { newState } from '../../cli/bisect/state.js';
import { type Shown, shownTogether } from '../../cli/report/format.js';
import type { BisectionResult, RunEntry } from '../../cli/results/bisect-result.js';
import type { CompareResult } from '../../cli/results/compare-result.js';
import type { KeptResult } from '../../cli/results/read.js';
import type { RunResult } from '../../cli/results/run-result.js';
import { CORRUPTED, comparison, EARLY_RETURN } from './comparisons.js';
import { RESULT, UNIT } from './results.js';

/** Results as they are read back, one of each kind, with everything that a unit can have. */

export function keptRun(result: RunResult, directory = '/runs/1'): KeptResult {
  return { kind: 'run', directory, result };
}

export function keptComparison(result: CompareResult, directory = '/runs/2'): KeptResult {
  return { kind: 'compare', directory, result };
}

export function shown(first: KeptResult, ...others: KeptResult[]): Shown {
  return shownTogether([first, ...others]);
}

const EVIDENCE = {
  device: '/dev/pmem0',
  inode: 12,
  inodeType: 'directory',
  mode: '040755',
  size: 4096,
  links: 2,
  flags: '0x0',
  blockMap: '(0):512',
  path: '/d',
  pathFrom: 'medium' as const,
  block: { number: 0, position: 2_097_152, zeros: true, begins: '0000' },
};

const CACHED = { pages: 1, dirtyPages: 1, daxEntries: 0, dirtyDaxEntries: 0, atLeast: false };

/** A failed unit with every field. */
export const WHOLE_FAILURE: RunResult['units'][number] = {
  ...UNIT,
  verdict: 'fail',
  reason: `e2fsck: ${CORRUPTED.message}`,
  findings: [
    { ...CORRUPTED, inode: 12, inodeType: 'directory', path: '/d', evidence: EVIDENCE },
    {
      tool: 'kernel',
      kind: 'warning',
      message: 'WARNING: at fs/dax.c',
      signature: 'kernel:warning:fs/dax.c',
      severity: 'repairable',
      function: 'dax_insert_entry',
      module: 'ext2',
      lines: ['WARNING: CPU: 0', 'Call Trace:'],
    },
  ],
  omitted: [{ signature: CORRUPTED.signature, severity: 'corruption', count: 3 }],
  unwritten: {
    known: true,
    unmounts: 2,
    omitted: 1,
    writtenDax: [{ inodeType: 'symlink', inodes: 1 }],
    inodes: [
      {
        ...{ device: 'pmem0', inode: 2, inodeType: 'directory', path: '/', dax: true, size: 4096 },
        ...{ before: CACHED, synced: CACHED, dropped: CACHED },
      },
    ],
  },
  inodes: [EVIDENCE],
  images: [
    { device: '/dev/pmem0', file: '001/image.tar.gz', bytes: 1434 },
    { device: '/dev/pmem1', missing: 'there was no room for it' },
  ],
  artifacts: { console: '001/console.log', output: '001/output.txt' },
  together: { guest: 1, position: 2, after: ['generic/001'], alone: 'daxrepro run ext2 alone' },
};

/** A run of several attempts, one of which failed. */
export const WHOLE_RUN: RunResult = {
  ...RESULT,
  verdict: 'fail',
  units: [
    { ...UNIT, attempt: 1 },
    { ...WHOLE_FAILURE, attempt: 2 },
    { ...UNIT, test: 'dax/acl', verdict: 'notrun', reason: 'it wants ACLs' },
    {
      ...UNIT,
      test: 'dax/rename',
      verdict: 'invalid',
      reason: 'DAX is off',
      dax: {
        ...UNIT.dax,
        proven: false,
        looks: UNIT.dax.looks.map((look) => ({
          ...look,
          problems: ['DAX is not among the mount options'],
          messages: ['DAX unsupported by block device. Turning off DAX.'],
        })),
      },
    },
  ],
  repeats: [
    {
      ...{ fs: 'ext2', test: 'generic/002', variant: 'base', pmem: 'memmap', powerCut: false },
      counts: { pass: 1, fail: 1 },
      failures: { rate: 0.5, interval: [0.013, 0.987] },
    },
  ],
};

export const WHOLE_COMPARISON: CompareResult = {
  ...comparison(
    (unit) => {
      if (unit.fs === 'xfs' && unit.variant !== 'base') {
        const failed = { kind: 'build-failed', message: 'm', remedy: 'r', detail: 'a\nb' } as const;
        return { verdict: 'error', reason: 'it did not build', failure: failed };
      }
      const { fs, test, pmem, variant, attempt, replay } = unit;
      return EARLY_RETURN(unit) && { ...WHOLE_FAILURE, fs, test, pmem, variant, attempt, replay };
    },
    {
      repeat: 2,
      expect: ({ fs }) => ({ verdict: fs === 'ext2' ? 'pass' : 'fail', signature: 'e2fsck:x' }),
      case: { title: 'a title' },
    },
  ),
  rates: [
    {
      ...{ fs: 'ext2', test: 'generic/002', pmem: 'memmap', powerCut: false },
      ...{ base: 'base', variant: 'early-return' },
      failures: { base: { hits: 0, trials: 2 }, variant: { hits: 2, trials: 2 } },
      p: 0.33,
      difference: { rate: 1, interval: [0.1, 1] },
      conclusion: 'undecided',
      runsNeeded: 4,
    },
  ],
};

export const WHOLE_BISECTION: BisectionResult = bisection();

/** Eight changes; the sixth is bad, and one did not build. */
function bisection(): BisectionResult {
  const planned = planBisection('good', linearChanges(8));
  if (!planned.ok) throw new Error(planned.failure.message);
  const plan = planned.value;
  const limits = { confidence: 0.95, leastRate: 0.01, maxRuns: 1000 };
  const state = newState('q', 1);
  for (const [build, outcome] of [
    [0, 'good'],
    [5, 'good'],
    [6, 'bad'],
    [8, 'bad'],
  ] as const) {
    const { content, change } = plan.builds[build] as (typeof plan.builds)[number];
    state.runs.push({
      ...{ content, change: plan.changes[change]?.id ?? 'good', attempt: 1, seed: 1, outcome },
      ...{ verdict: outcome === 'good' ? 'pass' : 'fail', reason: '', seconds: 1, folders: [] },
      signatures: outcome === 'good' ? [] : [CORRUPTED.signature],
      probability: 0.5,
    } as RunEntry);
  }
  const seconds = { seconds: 2 };
  state.builds.push({ content: '3', change: 'c3', ok: false, reason: 'no semicolon', ...seconds });
  const culprits = [
    {
      ...{ id: 'c5', title: 'change 5', author: 'A <a@b>', date: '2016-02-08' },
      diffstat: ' fs/ext2/inode.c | 4 +++-\n 1 file changed',
      findings: findingsOf(state, 'c5'),
    },
  ];
  return {
    ...{ schemaVersion: 1, tool: RESULT.tool, host: RESULT.host },
    command: ['bisect', 'ext2', 'generic/002', '--tree', '/linux'],
    question: {
      ...{ fs: 'ext2', tests: ['generic/002'], signature: null, kernel: 'debian:6.1' },
      ...{ tree: '/linux', good: 'a'.repeat(40), bad: 'b'.repeat(40), changes: 8, builds: 9 },
      ...limits,
    },
    answer: answerOf(
      plan,
      state,
      { type: 'found', changes: [5], probability: 0.97 },
      culprits,
      limits,
    ),
    path: pathOf(plan, state),
    runs: state.runs,
    builds: state.builds,
    ...{ started: '2016-02-09T12:00:00Z', durationSeconds: 60, directory: '/runs/3' },
  };
}
