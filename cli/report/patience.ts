import { makeReporter, type Reporter } from './reporter.js';

/** Milliseconds until a message. */
const PATIENCE = 2000;

/**
 * Prints a message on a terminal if work takes longer than two seconds, for commands without other
 * progress messages. Prints nothing into a pipe.
 *
 * @param text the message, which may change during the work
 */
export async function withPatience<Result>(
  text: () => string,
  work: () => Promise<Result>,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<Result> {
  if (!stream.isTTY) return work();
  let reporter: Reporter | undefined;
  let last = '';
  const show = () => {
    const now = text();
    reporter ??= makeReporter(stream);
    // A new stage would restart the clock.
    if (last === '') reporter.progress({ type: 'stage', text: now });
    else if (now !== last) reporter.progress({ type: 'detail', text: now });
    last = now;
  };
  let again: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    show();
    again = setInterval(show, PATIENCE / 10);
    again.unref();
  }, PATIENCE);
  first.unref();
  try {
    return await work();
  } finally {
    clearTimeout(first);
    clearInterval(again);
    reporter?.end();
  }
}
