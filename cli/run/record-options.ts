import { failure, type Outcome, success } from '../outcome.js';
import type { RunOptions } from './run-options.js';

/** `--record`: undefined if executions are not recorded. */
export function recordOf(options: RunOptions): Outcome<true | undefined> {
  if (!options.record) return success(undefined);
  const refused = refusedWithRecord(options);
  return refused ? failure('usage', `--record ${refused[0]}`, refused[1]) : success(true);
}

/** Options that do not combine with it, and what to do instead. */
function refusedWithRecord({
  accel,
  cpus,
  pmem,
  powerCut,
  together,
  on,
  configured,
}: RunOptions): [string, string] | undefined {
  if (accel === 'kvm') {
    return ["counts the guest's instructions, which only emulation allows", 'Use --accel tcg'];
  }
  if (Number(cpus) > 1) {
    return ['works with one CPU: QEMU records no more than one', 'Use --cpus 1'];
  }
  if (pmem === 'virtio-pmem') {
    return [
      'does not go with --pmem virtio-pmem, whose devices are plugged in while the guest runs',
      'Use --pmem memmap or nvdimm',
    ];
  }
  if (pmem === 'cxl') {
    return [
      'does not go with --pmem cxl: no replay of CXL memory is known to be exact',
      'Use --pmem memmap or nvdimm',
    ];
  }
  if (pmem === 'none') {
    return [
      'does not go with --pmem none: the content of disks is not recorded',
      'Use --pmem memmap or nvdimm',
    ];
  }
  if (powerCut) {
    return [
      'does not go with --power-cut, which stops the guest to read its memory',
      'Omit one of them',
    ];
  }
  if (together && !configured?.includes('together')) {
    return ['needs a separate guest for each test', 'Omit --together'];
  }
  if (on !== undefined) return ['works on this machine only', 'Omit --on'];
  return undefined;
}
