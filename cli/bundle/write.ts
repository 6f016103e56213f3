import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { execa } from 'execa';
import { failure, type Outcome, success } from '../outcome.js';
import { boundArgv } from '../process/child.js';
import { storageFailure } from '../store/store.js';
import type { Contents } from './contents.js';
import type { Member } from './member.js';
import { BUNDLE_FILE } from './schema.js';
import { padding, tarEnd, tarHeader } from './tar.js';

/** Writes a bundle. Equal contents give equal files, and an incomplete file never appears. */
export async function writeBundle(
  file: string,
  { bundle, members }: Contents,
  signal: AbortSignal,
): Promise<Outcome<{ bytes: number }>> {
  const part = `${file}.${process.pid}.part`;
  const first = { name: BUNDLE_FILE, content: Buffer.from(`${JSON.stringify(bundle, null, 2)}\n`) };
  const sizes = new Map(bundle.files.map(({ name, bytes }) => [name, bytes]));
  sizes.set(first.name, first.content.length);
  const tar = Readable.from(archive([first, ...members], sizes));
  try {
    if (file.endsWith('.zst')) {
      const [program, ...argv] = boundArgv(['zstd', '-q', '-19', '-T1', '-c'], 'single');
      const zstd = execa(program, argv, {
        ...{ encoding: 'buffer', buffer: false, reject: false, detached: true },
        cancelSignal: signal,
      });
      await Promise.all([
        pipeline(tar, zstd.stdin, { signal }),
        pipeline(zstd.stdout, createWriteStream(part), { signal }),
      ]);
      const { failed } = await zstd;
      if (failed) return failure('tool-failed', 'zstd failed', 'Write a .tar.gz instead');
    } else {
      await pipeline(tar, createGzip({ level: 9 }), createWriteStream(part), { signal });
    }
    await rename(part, file);
    return success({ bytes: (await stat(file)).size });
  } catch (error) {
    if (signal.aborted) return failure('interrupted', 'Interrupted', 'Start it again');
    if (error instanceof Changed) {
      return failure('unreadable', error.message, 'Wait until the run has ended, and try again');
    }
    return storageFailure(file, error);
  } finally {
    await rm(part, { force: true });
  }
}

class Changed extends Error {}

async function* archive(members: readonly Member[], sizes: ReadonlyMap<string, number>) {
  for (const { name, content } of members) {
    const size = sizes.get(name) ?? 0;
    yield tarHeader(name, size);
    let written = 0;
    const pieces = typeof content === 'string' ? createReadStream(content) : [content];
    for await (const piece of pieces as AsyncIterable<Buffer>) {
      written += piece.length;
      yield piece;
    }
    if (written !== size) throw new Changed(`${name} changed while it was read`);
    yield padding(size);
  }
  yield tarEnd();
}
