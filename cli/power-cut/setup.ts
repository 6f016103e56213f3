import type { Outcome } from '../outcome.js';
import { buildPlugin } from './plugin.js';
import { type CapableQemu, capableQemu } from './qemu.js';
import { type FetchContext, fetchQemu } from './qemu-package.js';

/** Prepares everything that power cuts need: the plugin, and a QEMU, downloaded if the system's is too old. */
export async function setUpPowerCuts(
  context: FetchContext,
  path?: string,
): Promise<Outcome<CapableQemu>> {
  const own = await capableQemu(context.store, path);
  const qemu = own.ok ? own : await fetchQemu(context);
  if (!qemu.ok) return qemu;
  context.progress({ type: 'stage', text: 'Building the power-cut plugin' });
  const plugin = await buildPlugin(context.store, context.signal);
  return plugin.ok ? qemu : plugin;
}
