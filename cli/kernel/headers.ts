import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes unpacked headers packages work where they are. Their make files name their siblings by
 * absolute paths below /usr/src; the links among them are relative and need nothing.
 *
 * @param root what /usr/src and /usr/lib of the packages are in, `root/usr/src`, `root/usr/lib`
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

/** `/usr/src/` becomes the directory that the make file's own is in, wherever that is. */
export function relocateMakefile(text: string): string {
  const here = 'DAXREPRO_HEADERS := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)\n';
  return here + text.replaceAll('/usr/src/', '$(DAXREPRO_HEADERS)/');
}
