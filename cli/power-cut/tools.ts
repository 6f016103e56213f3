import { type Outcome, success } from '../outcome.js';
import type { Store } from '../store/store.js';
import { buildPlugin } from './plugin.js';
import { capableQemu, checkCapable } from './qemu.js';

/** What of this machine cuts a guest's power: a QEMU that can, how it is started, and the plugin. */
export interface PowerCutTools {
  qemu: string;
  /** What it takes to start it besides its name: of its environment, and what comes first after it. */
  environment: Readonly<Record<string, string>>;
  after: readonly string[];
  plugin: string;
}

export interface PowerCutContext {
  store: Store;
  signal?: AbortSignal;
  /** The emulator of `--qemu`. No other is used then. */
  own?: string | undefined;
}

/**
 * What these want of it: nothing where none has its power cut. Never downloads: where the QEMU is not there,
 * the failure names the command that brings it.
 */
export async function powerCutTools(
  requests: readonly { powerCut?: unknown }[],
  { store, signal, own }: PowerCutContext,
): Promise<Outcome<PowerCutTools | undefined>> {
  if (!requests.some(({ powerCut }) => powerCut)) return success(undefined);
  const qemu = own === undefined ? await capableQemu(store) : await checkCapable(own);
  if (!qemu.ok) return qemu;
  const plugin = await buildPlugin(store, signal);
  if (!plugin.ok) return plugin;
  const { program, environment, arguments: after } = qemu.value;
  return success({
    qemu: program,
    environment,
    after,
    plugin: plugin.value,
  });
}

/** The emulators of a run in which some units' power is cut, and some not: the watched one first. */
export function emulatorsOf(
  units: readonly { powerCut?: unknown }[],
  emulator: string,
  watched: PowerCutTools | undefined,
): string[] {
  const every = units.every(({ powerCut }) => powerCut);
  return [...(watched ? [watched.qemu] : []), ...(every ? [] : [emulator])];
}
