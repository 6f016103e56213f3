import { createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { execa } from 'execa';
import { failure, type Outcome, success } from '../outcome.js';
import { boundArgv } from '../process/child.js';
import { storageFailure } from '../store/store.js';
import { BUNDLE_FILE, type Bundle, bundleSchema } from './schema.js';
import { BadArchive, type EntrySink, readBundleTar } from './tar.js';

/**
 * Reads a bundle, which may come from a stranger. It writes only files with names that daxrepro gives,
 * into a new directory, and no more bytes than the list announces. It unpacks only what a replay needs,
 * and checks the hashes of all files.
 */

/** Limit of the whole archive when unpacked, in bytes. */
const LARGEST = 64 * 2 ** 30;
/** Limit of results and inputs, which are text. */
const LARGEST_UNPACKED = 256 * 2 ** 20;
/** Limit of kernels and their modules. */
const LARGEST_KERNELS = 4 * 2 ** 30;
const MOST_FILES = 200_000;
/** Limit of bundle.json, which is read into memory. */
const LARGEST_LIST = 64 * 2 ** 20;

/** The first bytes of compressed files: RFC 1952, RFC 8878. */
const MAGIC = { gzip: '1f8b', zstd: '28b52ffd' } as const;

/** undefined if it is neither. */
async function compressionOf(file: string): Promise<'gzip' | 'zstd' | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const start = Buffer.alloc(4);
    await handle.read(start, 0, 4, 0);
    const hex = start.toString('hex');
    if (hex.startsWith(MAGIC.gzip)) return 'gzip';
    return hex === MAGIC.zstd ? 'zstd' : undefined;
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

export async function isBundle(file: string): Promise<boolean> {
  return (await compressionOf(file)) !== undefined;
}

/** @param directory an existing, empty, private directory */
export async function unpackBundle(file: string, directory: string): Promise<Outcome<Bundle>> {
  const wrong = (why: string) =>
    failure('unreadable', `The bundle is not valid: ${why}`, 'Fetch or make it again', {
      place: { file },
    });
  const unpacking = new Unpacking(directory);
  try {
    const stream = await decompressed(file);
    await readBundleTar(stream.pieces, (path, size) => unpacking.open(path, size));
    const problem = (await stream.end()) ?? unpacking.problem();
    if (problem !== undefined) return wrong(problem);
    return success(unpacking.bundle as Bundle);
  } catch (error) {
    if (error instanceof BadArchive) return wrong(error.message);
    // zlib reports data that is damaged, or ends too early.
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (/^Z_/.test(code)) return wrong(message);
    return storageFailure(directory, error);
  } finally {
    unpacking.close();
  }
}

async function decompressed(file: string): Promise<{
  pieces: AsyncIterable<Uint8Array>;
  end: () => Promise<string | undefined>;
}> {
  if ((await compressionOf(file)) === 'gzip') {
    const pieces = createGunzip();
    // Errors surface where the pieces are read.
    pipeline(createReadStream(file), pieces, () => {});
    return { pieces, end: async () => undefined };
  }
  const [program, ...argv] = boundArgv(
    ['zstd', '-q', '-d', '-c', '--memory=256MB', '--', file],
    'single',
  );
  const zstd = execa(program, argv, {
    ...{ encoding: 'buffer', buffer: false, reject: false, detached: true, stdin: 'ignore' },
  });
  return {
    pieces: zstd.iterable({ from: 'stdout', binary: true }),
    end: async () => ((await zstd).failed ? 'zstd cannot unpack it' : undefined),
  };
}

/** Whether a replay reads the file: results, inputs, kernels, and the units of a bisection. */
function isNeeded(path: string, { kind }: Bundle): boolean {
  if (path === 'result.json' || /^(?:inputs|kernels)\//.test(path)) return true;
  return kind === 'bisect' && /^[^/]+\/unit\.json$/.test(path);
}

class Unpacking {
  bundle: Bundle | undefined;
  #total = 0;
  #unpacked = 0;
  #kernels = 0;
  #seen = new Set<string>();
  #listed = new Map<string, Bundle['files'][number]>();
  #descriptor: number | undefined;

  constructor(readonly directory: string) {}

  open(path: string, size: number): EntrySink {
    this.#total += size;
    if (this.#total > LARGEST || this.#seen.size >= MOST_FILES)
      throw new BadArchive('it is too large');
    if (this.#seen.has(path)) throw new BadArchive(`it contains ${path} twice`);
    this.#seen.add(path);
    if (this.#seen.size === 1) return this.#list(path, size);
    const listed = this.#listed.get(path);
    if (!listed) throw new BadArchive(`${path} is not in its list`);
    if (listed.bytes !== size) throw new BadArchive(`${path} does not have the size in its list`);
    return this.#file(path, size, listed.sha256);
  }

  #list(path: string, size: number): EntrySink {
    if (path !== BUNDLE_FILE) throw new BadArchive(`its first file is not ${BUNDLE_FILE}`);
    if (size > LARGEST_LIST) throw new BadArchive('its list is too large');
    const pieces: Buffer[] = [];
    return {
      content: (piece) => pieces.push(Buffer.from(piece)),
      end: () => {
        this.bundle = parseList(Buffer.concat(pieces).toString());
        for (const one of this.bundle.files) this.#listed.set(one.name, one);
      },
    };
  }

  #file(path: string, size: number, sha256: string): EntrySink {
    const hash = createHash('sha256');
    const needed = isNeeded(path, this.bundle as Bundle);
    if (needed) {
      if (path.startsWith('kernels/')) this.#kernels += size;
      else this.#unpacked += size;
      if (this.#unpacked > LARGEST_UNPACKED || this.#kernels > LARGEST_KERNELS)
        throw new BadArchive('its results and inputs are too large');
      const target = join(this.directory, path);
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      this.#descriptor = openSync(target, 'wx', 0o600);
    }
    return {
      content: (piece) => {
        hash.update(piece);
        if (this.#descriptor !== undefined) writeSync(this.#descriptor, piece);
      },
      end: () => {
        this.close();
        if (hash.digest('hex') !== sha256)
          throw new BadArchive(`${path} does not have the SHA-256 in its list`);
      },
    };
  }

  /** Called at the end. @returns why the bundle is incomplete; undefined if it is complete */
  problem(): string | undefined {
    if (!this.bundle) return 'it is empty';
    const missing = this.bundle.files.find(({ name }) => !this.#seen.has(name));
    return (
      missing &&
      `${JSON.stringify(missing.name.slice(0, 200))} is in its list, but not in the archive`
    );
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function parseList(text: string): Bundle {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadArchive(`${BUNDLE_FILE} is not JSON`);
  }
  const parsed = bundleSchema.safeParse(value);
  if (!parsed.success) throw new BadArchive(`${BUNDLE_FILE} was not written by daxrepro`);
  return parsed.data;
}
