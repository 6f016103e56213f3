import { type Outcome, success } from '../outcome.js';
import type { Store } from '../store/store.js';
import { buildPlugin } from './plugin.js';
import { capableQemu, checkCapable } from './qemu.js';

/** The tools of this machine for power cuts: a capable QEMU, how to start it, and the plugin. */
export interface PowerCutTools {
  qemu: string;
  /** What QEMU needs besides its name: environment variables, and the first arguments. */
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
 * The tools that these requests need; undefined if none of them cuts the power. Never downloads: if there is no
 * capable QEMU, the failure names the command that fetches it.
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

/** The emulators of a run in which the power of some units is cut: the one for power cuts first. */
export function emulatorsOf(
  units: readonly { powerCut?: unknown }[],
  emulator: string,
  watched: PowerCutTools | undefined,
): string[] {
  const every = units.every(({ powerCut }) => powerCut);
  return [...(watched ? [watched.qemu] : []), ...(every ? [] : [emulator])];
}
