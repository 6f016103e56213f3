import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { failure, type Outcome, success } from '../outcome.js';
import { boundArgv } from '../process/child.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import type { KernelContext } from './kernel.js';
import { readTar } from './tar.js';

/** What git would call the files of a packaged source: to compare a tree of git's with. */

/**
 * git's name of each file's content, by path below the top of the sources. Made once for an archive;
 * it takes some 20 seconds.
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
    await readTar(xz.iterable({ from: 'stdout', binary: true }), (path, size) => {
      // As git names the content of files: gitglossary(7), object name; gitformat-loose(5).
      const hash = createHash('sha1').update(`blob ${size}\0`);
      return {
        content: (piece) => hash.update(piece),
        end: () => lines.push(`${hash.digest('hex')} ${path.slice(path.indexOf('/') + 1)}`),
      };
    });
    const { failed, isCanceled, stderr } = await xz;
    if (isCanceled) return failure('interrupted', 'Interrupted', 'Start it again');
    if (failed || lines.length === 0) {
      return failure(
        'tool-failed',
        `Cannot read ${file}`,
        'Fetch it anew: `daxrepro kernel build --refresh`',
        { detail: String(stderr ?? '') },
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
