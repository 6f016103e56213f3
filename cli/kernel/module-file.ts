import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { failure, type Outcome, success } from '../outcome.js';
import { tool } from '../process/tool.js';
import { sha256Of } from '../sha256.js';
import { readElf } from './elf.js';

/** What a module's file tells about the module. */
export interface ModuleFacts {
  name: string;
  sha256: string;
  /**
   * The GNU build-id note, hexadecimal; /sys/module/<name>/notes shows it once the module is
   * loaded.
   */
  buildId: string;
  /** Present only if the kernel's configuration asks for it. */
  srcversion?: string;
  /** Names of the modules it depends on. */
  dependencies: string[];
  /** Its first word is the release of the kernel that the module is for. */
  vermagic: string;
}

/** The type of the note that holds the build-id (elf.h). */
const NT_GNU_BUILD_ID = 3;

/** @param file an uncompressed .ko */
export async function readModuleFacts(file: string): Promise<Outcome<ModuleFacts>> {
  const bytes = await readFile(file);
  const elf = readElf(bytes);
  const information = elf?.sections.get('.modinfo')?.toString('utf8');
  const buildId = elf?.notes.find(({ name, type }) => name === 'GNU' && type === NT_GNU_BUILD_ID);
  if (information === undefined || !buildId) {
    return failure(
      'unreadable',
      `${file} is not a kernel module with a build-id`,
      'Build it with the same binutils as the kernel (ld --build-id)',
    );
  }
  // `key=value`, each terminated by a zero byte.
  const field = (key: string) =>
    information
      .split('\0')
      .find((entry) => entry.startsWith(`${key}=`))
      ?.slice(key.length + 1);
  const srcversion = field('srcversion');
  return success({
    name: field('name') ?? '',
    sha256: sha256Of(bytes),
    buildId: buildId.description.toString('hex'),
    ...(srcversion ? { srcversion } : {}),
    dependencies: (field('depends') ?? '').split(',').filter((name) => name !== ''),
    vermagic: field('vermagic') ?? '',
  });
}

/** Uncompresses `source` to `target`. The suffix of `source` tells the compression. */
export async function uncompressModule(
  source: string,
  target: string,
  signal?: AbortSignal,
): Promise<Outcome<unknown>> {
  if (source.endsWith('.gz')) {
    await writeFile(target, gunzipSync(await readFile(source)));
    return success(undefined);
  }
  const program = source.endsWith('.xz') ? 'xz' : source.endsWith('.zst') ? 'zstd' : undefined;
  if (program === undefined) {
    await copyFile(source, target);
    return success(undefined);
  }
  return tool(
    ['sh', '-c', 'exec "$1" -dcq <"$2" >"$3"', 'sh', program, source, target],
    { cannot: `Cannot uncompress the module ${source}` },
    signal ? { signal } : {},
  );
}
