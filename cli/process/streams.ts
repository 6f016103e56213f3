import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Our standard streams, where whoever reads them goes away. */

/** As a shell tells of a program that SIGPIPE ended. */
const NOT_READ = 128 + 13;

/**
 * Whoever reads what we print may have enough, `daxrepro list | head`: we end then, and where no verdict
 * is known yet that is no success. A terminal that was closed, and who read stderr, are not missed: what
 * is to be ended then a signal ends.
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
 * At its end Node 20 sets terminals as they were, and aborts where one does not take that since it was
 * closed (ResetStdio in src/node.cc). It leaves alone what is not open.
 */
function closeHungUp(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
