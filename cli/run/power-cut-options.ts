import { PMEM_KINDS } from '../guest/machine.js';
import { parseCount } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { PowerCutPlan } from '../plan/unit.js';
import { POWER_CUT_DEFAULTS } from './defaults.js';
import type { RunOptions } from './run-options.js';

/** How power is cut; undefined if it is not. */
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

/** Options that do not combine with it, and what to do instead. */
export function refusedWithCuts({
  accel,
  pmem,
  control,
  checkpoint,
  together,
  configured,
}: RunOptions): [string, string] | undefined {
  if (accel === 'kvm')
    return ["watches the guest's stores, which only emulation allows", 'Use --accel tcg'];
  if (pmem === 'none') {
    return [
      'needs persistent memory, and --pmem none has disks',
      `Use ${PMEM_KINDS.filter((kind) => kind !== 'none' && kind !== 'cxl').join(', ')}`,
    ];
  }
  if (pmem === 'cxl') {
    return [
      'needs guests that are clones, and QEMU cannot save the state of CXL devices',
      'Use --pmem memmap, nvdimm or virtio-pmem',
    ];
  }
  if (together && !configured?.includes('together')) {
    return ['needs a separate guest for each test', 'Omit --together'];
  }
  if (control) return ['tests DAX', 'Omit --control'];
  if (checkpoint === false) return ['needs guests that are clones', 'Omit --no-checkpoint'];
  return undefined;
}
