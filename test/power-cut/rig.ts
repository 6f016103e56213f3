import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import {
  buildPlugin,
  type PmemRange,
  type PowerCutOptions,
  powerCutArguments,
} from '../../cli/power-cut/plugin.js';
import { type CapableQemu, capableQemu } from '../../cli/power-cut/qemu.js';
import { runTool } from '../../cli/process/child.js';
import { defaultStore } from '../../cli/store/store.js';
import { MEMORY, machine, PMEM } from './bare.js';

/** What bare.S ends with. */
const DONE = 3;

/** What the model's own tests need: a real QEMU, and the plugin as it is in this tree. */
export interface Rig {
  qemu: CapableQemu;
  plugin: string;
}

/** Skips the test where this machine has no capable QEMU. */
export async function rig(t: Test): Promise<Rig | undefined> {
  const qemu = await capableQemu(defaultStore());
  if (!qemu.ok) {
    t.plan(0, `${qemu.failure.message}: ${qemu.failure.remedy}`);
    return undefined;
  }
  const plugin = await buildPlugin(defaultStore());
  if (!plugin.ok) throw new Error(JSON.stringify(plugin.failure));
  return { qemu: qemu.value, plugin: plugin.value };
}

export type StartOptions = Partial<Omit<PowerCutOptions, 'ranges'>> & {
  ranges?: readonly (Pick<PmemRange, 'start' | 'size'> & Partial<PmemRange>)[];
};

/**
 * Starts an image of bare programs and waits for its end.
 *
 * @param before is given the plugin's directory before the start
 * @returns where the plugin wrote
 */
export async function start(
  { qemu, plugin }: Rig,
  image: string,
  directory: string,
  { ranges = [PMEM], ...options }: StartOptions = {},
  before = (_: string) => {},
): Promise<string> {
  const out = join(directory, 'out');
  mkdirSync(out);
  before(out);
  const memory = join(directory, 'memory');
  const { arguments: own, environment } = powerCutArguments({
    plugin,
    directory: out,
    memory: { file: memory, low: MEMORY },
    ranges: ranges.map((range) => ({
      ...{ file: memory, offset: range.start, flush: 'instructions' as const },
      ...range,
    })),
    seed: 1,
    states: 24,
    cutAtPromises: true,
    moments: 0,
    gap: 10,
    calls: 0,
    lostCalls: 0,
    mostCuts: 1000,
    mostBytes: 1e9,
    ...options,
  });
  const ended = await runTool(
    [qemu.program, ...qemu.arguments, ...machine(image, memory), ...own],
    { env: { ...qemu.environment, ...environment } },
  );
  if (ended.exitCode !== DONE) throw new Error(`QEMU: ${ended.summary}\n${ended.all}`);
  return out;
}
