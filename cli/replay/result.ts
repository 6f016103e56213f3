import type { Attempts } from '../compare/differences.js';
import { type ContextDifference, contextDifferences } from '../diff/context.js';
import { attemptsOf, type KeptRun } from '../diff/sides.js';
import { EXIT } from '../outcome.js';
import type { RunResult, UnitResult } from '../results/run-result.js';
import type { Verdict } from '../verdict/judge.js';
import { type Agreement, conclusionOf, type Judged, judgeReplay } from './judge.js';
import { groupKey, groups } from './plan.js';

/** The result of a replay: a run, and its comparison with the run that it repeats. */
export interface ReplayResult extends RunResult {
  replay: Replay;
}

export interface Replay {
  /** The name of the repeated run, as given by the user. */
  of: string;
  conclusion: Agreement;
  /** Differences from the recorded run: kernel, modules, QEMU, tools, host. */
  context: ContextDifference[];
  units: ReplayedUnit[];
  /** Other remarks, such as inputs that have changed. */
  notes: string[];
}

export interface ReplayedUnit extends Judged {
  fs: string;
  test: string;
  variant: string;
  pmem: string;
  /** In a comparison of several kernels: its word of `--kernel`. */
  kernel?: string | undefined;
  recorded: SideOfReplay;
  /** null if the replay was interrupted before. */
  replayed: SideOfReplay | null;
}

export interface SideOfReplay {
  verdict: Verdict | undefined;
  attempts: number;
  /** Sorted, without duplicates. */
  signatures: string[];
}

export function replayOf(
  { result: then }: KeptRun,
  recorded: readonly UnitResult[],
  now: RunResult,
  { of, notes, sameKernels }: { of: string; notes: string[]; sameKernels: boolean },
): Replay {
  const again = new Map(
    groups(now.units).map((units) => [groupKey(units[0] as UnitResult), units]),
  );
  const units = groups(recorded).map((old): ReplayedUnit => {
    const one = attemptsOf(old);
    const young = again.get(groupKey(old[0] as UnitResult));
    const other = young && attemptsOf(young);
    const { fs, test, variant, pmem, kernel } = one;
    const judged = judgeReplay(one, other);
    return {
      ...{ fs, test, variant, pmem, ...(kernel === undefined ? {} : { kernel }) },
      ...judged,
      recorded: sideOf(one),
      replayed: other ? sideOf(other) : null,
    };
  });
  return {
    of,
    conclusion: conclusionOf(units),
    // A kernel from a bundle has another id: the hash of the bundled files.
    context: contextDifferences(asSide(then, recorded), asSide(now, now.units)).filter(
      ({ what }) => !(sameKernels && what === 'kernel id'),
    ),
    units,
    notes,
  };
}

/** The part of a result with these units only. */
export function asSide(result: RunResult, units: readonly UnitResult[]) {
  return {
    runs: [{ kind: 'run' as const, directory: '', result: { ...result, units: [...units] } }],
  };
}

function sideOf({ units, verdict }: Attempts): SideOfReplay {
  const signatures = units.flatMap(({ findings }) => findings.map(({ signature }) => signature));
  return { verdict, attempts: units.length, signatures: [...new Set(signatures)].sort() };
}

export function exitCodeOfReplay({ conclusion }: Replay): number {
  if (conclusion === 'agrees') return EXIT.ok;
  return conclusion === 'differs' ? EXIT.failed : EXIT.noVerdict;
}
