import { closeSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { resolve, sep } from 'node:path';

/**
 * Reads the last lines of a file of a run. A result may come from a stranger, so only regular files in
 * the run's directory are read, after resolving links.
 *
 * @param path relative to the directory
 * @returns undefined if there is no such file
 */
export function lastLines(
  directory: string,
  path: string | undefined,
  most: { bytes: number; lines: number },
): string[] | undefined {
  if (path === undefined) return undefined;
  let descriptor: number | undefined;
  try {
    const top = realpathSync(directory);
    const file = realpathSync(resolve(top, path));
    if (!file.startsWith(top + sep)) return undefined;
    descriptor = openSync(file, 'r');
    const status = fstatSync(descriptor);
    if (!status.isFile()) return undefined;
    const start = Math.max(0, status.size - most.bytes);
    const buffer = Buffer.alloc(status.size - start);
    const length = readSync(descriptor, buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, length).split(/\r*\n/);
    // The first line may be incomplete.
    if (start > 0) lines.shift();
    while (lines.at(-1)?.trim() === '') lines.pop();
    return lines.slice(-most.lines);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
