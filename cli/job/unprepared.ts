import type { AcceleratorChoice } from '../guest/accelerator.js';
import { type Failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { replayCommand } from '../run/replay-command.js';
import { UNKNOWN_KERNEL, unpreparedResult } from '../run/unprepared.js';
import { conclude, type JobResult, type OpenJob, openDirectory } from './job.js';

export interface Unprepared {
  failed: Failure;
  /** At least one. */
  requests: readonly RunRequest[];
  accelerator: AcceleratorChoice;
  /** Path for the run's directory; undefined: the default. */
  out: string | undefined;
}

/** The document of a run whose kernel or tools could not be prepared: each unit is an error with that reason. */
export async function unpreparedRun(
  { failed, requests, accelerator, out }: Unprepared,
  open: OpenJob,
): Promise<Outcome<JobResult>> {
  const planned = requests.flatMap((request) =>
    planUnits(request, UNKNOWN_KERNEL.release).map((unit) => ({ unit, request })),
  );
  const directory = openDirectory(open, out, planned[0]?.unit as Unit);
  if (!directory.ok) return directory;
  const accel = accelerator === 'kvm' ? 'kvm' : 'tcg';
  const results = planned.map(({ unit, request }, index) => {
    const replay = replayCommand(unit, request);
    const more = { kernel: UNKNOWN_KERNEL, accel, directory: directory.value, replay };
    return unpreparedResult(unit, index, failed, more);
  });
  const fileSystems = [...new Set(requests.map(({ fs }) => fs))];
  const place = { directory: directory.value, emulators: [], fileSystems };
  return success(await conclude(open, place, Promise.resolve(results)));
}
