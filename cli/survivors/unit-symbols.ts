import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guestPrograms } from '../guest/programs.js';
import { failure, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import {
  kernelSymbols,
  kernelText,
  loadedModules,
  Symbolizer,
  type Symbols,
} from '../power-cut/symbols.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { askBeside, type BesideContext } from './beside.js';

/** Names code addresses in a unit's guest: in its kernel, its modules, and our own program. */

/** @param told whether our own program stored the data and announced it */
export async function makeSymbolizer(
  unit: Unit,
  context: BesideContext,
  modules: string,
  told: boolean,
): Promise<Symbolizer> {
  const { module, userland } = context.prepared;
  const programs = await guestPrograms({ store: context.store, userland });
  const promises = told && programs.ok ? programs.value.files.get('promises') : undefined;
  return new Symbolizer({
    program: promises === undefined ? undefined : { name: 'promises', file: promises },
    modules: loadedModules(modules),
    text: kernelText(modules),
    moduleFile: (name) => (name === unit.fs ? module?.file : undefined),
    kernel: () => symbolsOfKernel(unit, context),
  });
}

/**
 * A guest is asked once per kernel. If a kernel's symbols are unavailable, its addresses have no
 * names.
 */
async function symbolsOfKernel(unit: Unit, context: BesideContext): Promise<Symbols> {
  const { kernel } = context.prepared;
  const key = cacheKey({ layout: 1, kernel: kernel.id });
  const made = await lookUpOrMake(context.store, 'kernel-symbols', key, async (directory) => {
    context.onStep("the kernel's symbols");
    const place = join(context.directory, 'symbols');
    const ran = await askBeside(unit, { ...context, directory: place }, { SYMBOLS: 1 }, 120);
    if (!ran.ok) return ran;
    const text = await readFile(join(place, 'symbols.txt'), 'utf8').catch(() => '');
    if (text === '') {
      return failure(
        'tool-failed',
        "The kernel's symbols are unavailable",
        "Look at the guest's console",
      );
    }
    await writeFile(join(directory, 'symbols'), text);
    return success(undefined);
  });
  return made.ok ? kernelSymbols(await readFile(join(made.value, 'symbols'), 'utf8')) : [];
}
