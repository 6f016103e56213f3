import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Parser, type ReadEntry } from 'tar';
import { failure, type Outcome, success } from '../outcome.js';
import { boundArgv } from '../process/child.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import type { KernelContext } from './kernel.js';

/**
 * The names that git would give to the files of a packaged source, for comparing a git tree with
 * it.
 */

/**
 * Object names of all files, by path below the top of the sources. Computed once per archive, which
 * takes some 20 seconds.
 */
export async function archiveListing(
  { file, identity }: { file: string; identity: string },
  { store, progress, signal }: KernelContext,
): Promise<Outcome<Map<string, string>>> {
  const key = cacheKey({ archive: identity, objects: 'sha1' });
  const entry = await lookUpOrMake(store, 'source-listing', key, async (directory) => {
    progress({ type: 'stage', text: 'Reading the packaged source, to compare the tree with it' });
    const lines: string[] = [];
    const [program, ...argv] = boundArgv(['xz', '--decompress', '--stdout', '-T0'], 'single');
    const xz = execa(program, argv, {
      inputFile: file,
      encoding: 'buffer',
      buffer: false,
      reject: false,
      detached: true,
      ...(signal ? { cancelSignal: signal } : {}),
    });
    const broken = await forEachFile(xz.iterable({ from: 'stdout', binary: true }), (file) => {
      // How git names the content of files: gitglossary(7), object name; gitformat-loose(5).
      const hash = createHash('sha1').update(`blob ${file.size}\0`);
      file.on('data', (piece) => hash.update(piece));
      file.on('end', () =>
        lines.push(`${hash.digest('hex')} ${file.path.slice(file.path.indexOf('/') + 1)}`),
      );
    });
    const { failed, isCanceled, stderr } = await xz;
    if (isCanceled) return failure('interrupted', 'Interrupted', 'Start it again');
    if (failed || broken || lines.length === 0) {
      return failure(
        'tool-failed',
        `Cannot read ${file}`,
        'Fetch it again: `daxrepro kernel build --refresh`',
        { detail: [stderr, broken?.message].filter(Boolean).join('\n') },
      );
    }
    await writeFile(join(directory, 'listing'), `${lines.join('\n')}\n`);
    return success(undefined);
  });
  if (!entry.ok) return entry;
  const text = await readFile(join(entry.value, 'listing'), 'utf8');
  return success(
    new Map(
      text
        .trimEnd()
        .split('\n')
        .map((line) => [line.slice(41), line.slice(0, 40)]),
    ),
  );
}

/** @returns what is wrong with the archive. Whatever `take` does not read is dropped */
async function forEachFile(
  archive: AsyncIterable<Uint8Array>,
  take: (file: ReadEntry) => void,
): Promise<Error | undefined> {
  let broken: Error | undefined;
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      if (entry.type === 'File' || entry.type === 'OldFile') take(entry);
      else entry.resume();
    },
  });
  parser.on('error', (error: Error) => {
    broken ??= error;
  });
  for await (const { buffer, byteOffset, byteLength } of archive) {
    // No need to wait for it to drain: everything that is taken is read at once. The parser takes
    // strings for anything but Buffers.
    if (!broken) parser.write(Buffer.from(buffer, byteOffset, byteLength));
  }
  parser.end();
  return broken;
}
