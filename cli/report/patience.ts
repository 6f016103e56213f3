import { makeReporter, type Reporter } from './reporter.js';

/** Milliseconds after which people want to know what is going on. */
const PATIENCE = 2000;

/**
 * Says on a terminal what takes longer than two seconds, of commands that have nothing else to tell on
 * the way. In pipes it is quiet: the result comes, and that is all that is wanted there.
 *
 * @param text of now; what it returns may change while the work goes on
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
    // The time that a stage takes is counted from its beginning.
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
