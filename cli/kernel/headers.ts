import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes unpacked headers packages work where they are. Their make files refer to each other by
 * absolute paths below /usr/src. The links between them are relative and need no change.
 *
 * @param root the directory with the packages' `usr/src` and `usr/lib`
 */
export async function relocateHeaders(root: string): Promise<void> {
  const sources = join(root, 'usr/src');
  for (const name of await readdir(sources)) {
    const makefile = join(sources, name, 'Makefile');
    const text = await readFile(makefile, 'utf8').catch(() => undefined);
    if (text === undefined || !text.includes('/usr/src/')) continue;
    await writeFile(makefile, relocateMakefile(text));
  }
}

/** Replaces `/usr/src/` with the directory above the make file's own, wherever that is. */
export function relocateMakefile(text: string): string {
  const here = 'DAXREPRO_HEADERS := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)\n';
  return here + text.replaceAll('/usr/src/', '$(DAXREPRO_HEADERS)/');
}
