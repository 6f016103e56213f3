import { open } from 'node:fs/promises';
import { escapeForTerminal } from '../findings/escape.js';
import { type Failure, failure, formatFailure, type Outcome, success } from '../outcome.js';
import { withPatience } from '../report/patience.js';
import { formatBytes } from '../words.js';

/** Reading a log for `fsck` and `log`. */

/** Larger pieces than the default: a log of 100 MB is read in seconds. */
const READING = { highWaterMark: 1 << 18 };

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
};

/**
 * Reads a log in pieces, and says how far it is where that takes long.
 *
 * @param log a file, or `-` for standard input
 * @param remedy what to give instead of a file that cannot be read
 */
export function readLog(
  log: string,
  remedy: string,
  push: (chunk: Buffer) => void,
): Promise<Outcome<void>> {
  let bytes = 0;
  return withPatience(
    () => `${formatBytes(bytes)} of ${nameOfLog(log)} read`,
    async () => {
      try {
        const input = log === '-' ? process.stdin : (await open(log)).createReadStream(READING);
        for await (const chunk of input) {
          bytes += chunk.length;
          push(chunk);
        }
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === undefined) throw error;
        return failure('unreadable', `The log cannot be read: ${REASONS[code] ?? code}`, remedy, {
          place: { file: nameOfLog(log) },
        });
      }
      return success(undefined);
    },
  );
}

export function nameOfLog(log: string): string {
  return log === '-' ? 'standard input' : log;
}

/** Prints a failure. The name of a file may hold anything. */
export function printFailure(one: Failure): void {
  const lines = formatFailure(one).split('\n').map(escapeForTerminal);
  process.stderr.write(`${lines.join('\n')}\n`);
}
