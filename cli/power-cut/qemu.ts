import { access, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { z } from '../schema.js';
import { readReference } from '../store/reference.js';
import { lookUp, type Store } from '../store/store.js';
import { findProgram } from '../system/programs.js';
import { findVersion } from '../system/versions.js';

/**
 * Finds a QEMU whose plugins can read registers and get the physical addresses of stores: 10.0 or newer, built
 * with plugins. It is the system's own QEMU if that qualifies, or the one that `daxrepro setup --power-cut`
 * unpacked into the cache.
 */
export interface CapableQemu {
  program: string;
  /** `10.0.2` */
  version: string;
  /** The first arguments of its command line: where its firmware is. */
  arguments: string[];
  /** Where it finds libraries that the system lacks. */
  environment: Record<string, string>;
}

/** The oldest version that was tested. */
const OLDEST = 10;

export const QEMU_KIND = 'power-cut-qemu';
export const QEMU_REFERENCE = 'power-cut-qemu';
export const PROGRAM = 'usr/bin/qemu-system-x86_64';
export const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
export const FIRMWARE = ['usr/share/qemu', 'usr/share/seabios'];

/** The content of the reference: the key of the cache entry. */
export const QemuReferenceSchema = z.object({ key: z.string(), version: z.string() });

/** Never downloads. If there is none, the failure names the command that fetches it. */
export async function capableQemu(store: Store, path?: string): Promise<Outcome<CapableQemu>> {
  const own = findProgram('qemu-system-x86_64', path);
  const version = own === undefined ? undefined : await versionWithPlugins(own, {});
  if (own !== undefined && isNewEnough(version)) {
    return success({ program: own, version: version ?? '', arguments: [], environment: {} });
  }
  const unpacked = await peekUnpacked(store);
  if (unpacked) return success(unpacked);
  const found = own === undefined ? 'there is none' : `${own} is ${await describe(own)}`;
  return failure(
    'usage',
    `Power cuts need QEMU ${OLDEST}.0 or newer, built with plugins; ${found}`,
    '`daxrepro setup --power-cut` downloads one of Debian, without root and beside your own',
  );
}

/** Checks a QEMU that the user chose. The failure says why it cannot watch its guest. */
export async function checkCapable(program: string): Promise<Outcome<CapableQemu>> {
  const version = await versionWithPlugins(program, {});
  if (version !== undefined && isNewEnough(version)) {
    return success({ program, version, arguments: [], environment: {} });
  }
  return failure(
    'usage',
    `Power cuts need QEMU ${OLDEST}.0 or newer, built with plugins; ${program} is ${await describe(program)}`,
    'Choose another one with --qemu, or leave --qemu out',
  );
}

/** The QEMU in the cache, if there is one. */
export async function peekUnpacked(store: Store): Promise<CapableQemu | undefined> {
  const remembered = QemuReferenceSchema.safeParse(await readReference(store, QEMU_REFERENCE)).data;
  if (!remembered) return undefined;
  const directory = await lookUp(store, QEMU_KIND, remembered.key);
  return directory === undefined ? undefined : unpackedIn(directory, remembered.version);
}

/** How to start the QEMU that was unpacked into this directory. */
export async function unpackedIn(directory: string, version: string): Promise<CapableQemu> {
  const libraries = join(directory, LIBRARIES);
  const own = await access(libraries).then(
    () => true,
    () => false,
  );
  return {
    program: join(directory, PROGRAM),
    version,
    arguments: FIRMWARE.flatMap((name) => ['-L', join(directory, name)]),
    environment: own ? { LD_LIBRARY_PATH: libraries } : {},
  };
}

function isNewEnough(version: string | undefined): boolean {
  return version !== undefined && Number(version.split('.')[0]) >= OLDEST;
}

/** Versions by program: they do not change while we run. */
const asked = new Map<string, Promise<string | undefined>>();

/** Its version, or undefined if it does not start or has no plugins. */
export async function versionWithPlugins(
  program: string,
  environment: Record<string, string>,
): Promise<string | undefined> {
  const { size, mtimeMs } = await stat(await realpath(program));
  const key = `${program} ${size} ${mtimeMs}`;
  let answer = asked.get(key);
  if (!answer) {
    answer = ask(program, environment);
    asked.set(key, answer);
  }
  return answer;
}

async function ask(
  program: string,
  environment: Record<string, string>,
): Promise<string | undefined> {
  const env = { LC_ALL: 'C', ...environment };
  const version = await runTool([program, '--version'], { env, timeout: 10_000 });
  if (!version.ok) return undefined;
  // A QEMU without plugins does not know this option.
  const plugins = await runTool([program, '-plugin', 'help'], { env, timeout: 10_000 });
  return plugins.ok ? findVersion(version.stdout) : undefined;
}

/** The version of a QEMU whose plugins can read registers; undefined if it is not one. */
export async function capableVersion(program: string): Promise<string | undefined> {
  const version = await versionWithPlugins(program, {});
  return isNewEnough(version) ? version : undefined;
}

async function describe(program: string): Promise<string> {
  const version = await runTool([program, '--version'], { timeout: 10_000 });
  const number = version.ok ? findVersion(version.stdout) : undefined;
  return isNewEnough(number) ? `${number}, without plugins` : (number ?? 'one that does not start');
}
