import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Handles our standard streams when their reader goes away. */

/** The exit code of a shell for a program that SIGPIPE ended. */
const NOT_READ = 128 + 13;

/**
 * Ends us if the reader of stdout goes away, as in `daxrepro list | head`; without a known verdict
 * this is not a success. A closed terminal, or a reader of stderr, is ignored: a signal ends us if
 * we should end.
 */
export function endWithoutReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? NOT_READ);
    if (error.code !== 'EIO') throw error;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
  closeHungUp();
}

/**
 * Node 20 restores terminals at its end, and aborts if one was closed (ResetStdio in src/node.cc).
 * It leaves closed descriptors alone.
 */
function closeHungUp(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
