import { besideSize, type Layers, STACKS, STACKS_WITH_DAX } from '../guest/layers.js';
import { parseChoice } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunOptions } from './run-options.js';

/** The options `--partition` and `--stack`. */
export type LayerOptions = Pick<
  RunOptions,
  'partition' | 'stack' | 'pmem' | 'control' | 'powerCut' | 'rtDevice'
>;

/** What lies between devices and file systems; empty if nothing does. */
export function layersOf(options: LayerOptions): Outcome<Layers> {
  const stack =
    options.stack === undefined
      ? success(undefined)
      : parseChoice('--stack', options.stack, STACKS);
  if (!stack.ok) return stack;
  const layers: Layers = {
    ...(options.partition ? { partition: true as const } : {}),
    ...(stack.value === undefined ? {} : { stack: stack.value }),
  };
  if (!layers.partition && !layers.stack) return success(layers);
  const name = layers.stack === undefined ? '--partition' : `--stack ${layers.stack}`;
  const refused = refusedWithLayers(options, layers);
  return refused ? failure('usage', `${name} ${refused[0]}`, refused[1]) : success(layers);
}

/** Options that do not combine with them, and what to do instead. */
function refusedWithLayers(
  { pmem, control, powerCut, rtDevice }: LayerOptions,
  { stack }: Layers,
): [string, string] | undefined {
  if (stack !== undefined && !STACKS_WITH_DAX.includes(stack) && !control) {
    return [
      'removes DAX: this target of device mapper does not pass it on',
      `Use ${STACKS_WITH_DAX.join(', ')}, or add --control to run without DAX`,
    ];
  }
  if (powerCut) {
    return [
      'does not go with --power-cut: what survives is examined on the devices themselves',
      'Leave one of them out',
    ];
  }
  if (rtDevice) {
    return [
      'does not go with --rt-device: it lies below TEST_DEV and SCRATCH_DEV alone',
      'Leave one of them out',
    ];
  }
  if (pmem === 'cxl' && besideSize(stack, 1) > 0) {
    return [
      'needs two further devices, and --pmem cxl has two in all',
      'Use linear or stripe, or another kind with --pmem',
    ];
  }
  return undefined;
}
