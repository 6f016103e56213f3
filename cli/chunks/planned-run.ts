import type { CompareOptions } from '../compare/case-flags.js';
import { comparedCase, type PreparedComparison } from '../compare/job.js';
import { cellFinder, cellNameOf } from '../compare/plan.js';
import { kernelsOf } from '../compare/prepare.js';
import type { FileSystem } from '../file-systems.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { Job } from '../job/job.js';
import type { PreparedRun } from '../job/run.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Prepared } from '../launch/prepared.js';
import { type Outcome, success } from '../outcome.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import type { Expected } from '../results/case.js';
import type { ComparedCase } from '../results/compare-result.js';
import { replayCommand } from '../run/replay-command.js';
import type { CheckedRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { withVersions } from '../run/suite.js';
import type { ExpectedFailure } from '../suite/expected.js';

/** A run or a comparison that is ready to be written as a plan. */
export interface PlannedRun {
  kind: 'run' | 'compare';
  job: Job;
  requests: RunRequest[];
  kernels: Kernel[];
  fileSystems: readonly FileSystem[];
  settings: {
    accelerator: AcceleratorChoice;
    checkpoints: boolean;
    together: boolean;
    explain: boolean;
    imageBytes: number;
    qemu?: string | undefined;
  };
  expected: readonly ExpectedFailure[];
  case?: ComparedCase;
  /** In the order of the result. */
  units: readonly UnitToPlan[];
}

export interface UnitToPlan {
  unit: Unit;
  prepared: Outcome<Prepared>;
  replay: (after: readonly string[]) => string;
  /** In a comparison. */
  expected?: Expected | null;
}

export function plannedRun(
  checked: CheckedRequest,
  options: RunOptions,
  { units, prepared, job }: PreparedRun,
): PlannedRun {
  const { request, accelerator, imageBytes } = checked;
  return {
    kind: 'run',
    job,
    requests: [withVersions(request, job)],
    kernels: [prepared.kernel],
    fileSystems: [request.fs],
    settings: settingsOf(options, { accelerator, imageBytes, qemu: request.qemu }),
    expected: checked.expected,
    units: units.map((unit) => ({
      unit,
      prepared: success(prepared),
      replay: (after) => replayCommand(unit, request, after),
    })),
  };
}

export function plannedComparison(
  options: CompareOptions,
  { of, plan, kernels, prepared, units, job }: PreparedComparison,
): PlannedRun {
  const { cells, accelerator, imageBytes } = plan;
  const find = cellFinder(cells);
  const { powerCut, userTests } = job;
  return {
    kind: 'compare',
    job,
    requests: cells.map(({ request }) => withVersions(request, job)),
    kernels: kernelsOf(cells, kernels, prepared),
    fileSystems: of.fileSystems,
    settings: settingsOf(options, { accelerator, imageBytes, qemu: cells[0]?.request.qemu }),
    expected: [],
    case: comparedCase(of),
    units: units.map((unit) => {
      const cell = find(cellNameOf(unit));
      const own = prepared.of(cell);
      return {
        unit,
        prepared: own.ok ? success({ ...own.value, powerCut, userTests }) : own,
        replay: (after) => replayCommand(unit, cell.request, after),
        expected: cell.expected,
      };
    }),
  };
}

function settingsOf(
  { checkpoint, together, explain }: Pick<RunOptions, 'checkpoint' | 'together' | 'explain'>,
  { qemu, ...more }: Pick<PlannedRun['settings'], 'accelerator' | 'imageBytes' | 'qemu'>,
): PlannedRun['settings'] {
  return {
    ...more,
    checkpoints: checkpoint !== false,
    together: together === true,
    explain: explain === true,
    ...(qemu === undefined ? {} : { qemu }),
  };
}
