import { PMEM_KINDS } from '../guest/machine.js';
import { parseCount } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { PowerCutPlan } from '../plan/unit.js';
import { POWER_CUT_DEFAULTS } from './defaults.js';
import type { RunOptions } from './run-options.js';

/** How power is cut; undefined where it is not. */
export function powerCutOf(options: RunOptions): Outcome<PowerCutPlan | undefined> {
  if (!options.powerCut) {
    const given = options.cuts !== undefined ? '--cuts' : options.cutStates && '--cut-states';
    if (!given) return success(undefined);
    return failure('usage', `${given} without --power-cut`, 'Give both');
  }
  const refused = refusedWithCuts(options);
  if (refused) return failure('usage', `--power-cut ${refused[0]}`, refused[1]);
  const cuts = parseCount('--cuts', options.cuts ?? POWER_CUT_DEFAULTS.cuts, 0, 10_000);
  if (!cuts.ok) return cuts;
  const states = parseCount(
    '--cut-states',
    options.cutStates ?? POWER_CUT_DEFAULTS.cutStates,
    0,
    100,
  );
  return states.ok ? success({ cuts: cuts.value, states: states.value }) : states;
}

/** What does not go with it, and what to do. */
export function refusedWithCuts({
  accel,
  pmem,
  control,
  checkpoint,
  together,
  configured,
}: RunOptions): [string, string] | undefined {
  if (accel === 'kvm')
    return ['watches what guests store, which takes emulation', 'Use --accel tcg'];
  if (pmem === 'none') {
    return [
      'is about persistent memory, and --pmem none has disks',
      `Use ${PMEM_KINDS.slice(0, -1).join(', ')}`,
    ];
  }
  if (together && !configured?.includes('together')) {
    return ['wants a guest for each test', 'Leave --together out'];
  }
  if (control) return ['is about DAX', 'Leave --control out'];
  if (checkpoint === false) return ['wants guests that are clones', 'Leave --no-checkpoint out'];
  return undefined;
}
