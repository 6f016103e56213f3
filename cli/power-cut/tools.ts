import { type Outcome, success } from '../outcome.js';
import type { Store } from '../store/store.js';
import { buildPlugin } from './plugin.js';
import { capableQemu } from './qemu.js';

/** What of this machine cuts a guest's power: a QEMU that can, how it is started, and the plugin. */
export interface PowerCutTools {
  qemu: string;
  /** Words before and after its name on its command line. */
  before: readonly string[];
  after: readonly string[];
  plugin: string;
}

/** Never downloads: where the QEMU is not there, the failure names the command that brings it. */
export async function powerCutTools(
  store: Store,
  signal?: AbortSignal,
): Promise<Outcome<PowerCutTools>> {
  const qemu = await capableQemu(store);
  if (!qemu.ok) return qemu;
  const plugin = await buildPlugin(store, signal);
  if (!plugin.ok) return plugin;
  const { program, environment } = qemu.value;
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return success({
    qemu: program,
    before: settings.length > 0 ? ['env', ...settings] : [],
    after: qemu.value.arguments,
    plugin: plugin.value,
  });
}
