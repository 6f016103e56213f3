import { bisectJob } from '../bisect/job.js';
import { type BisectOptions, checkBisection } from '../bisect/request.js';
import { isTreeItself } from '../bisect/tree.js';
import { openJob } from '../job/job.js';
import { EXIT, success } from '../outcome.js';
import { formatBisectionMail } from '../report/bisect-mail.js';
import { formatBisectionForTerminal } from '../report/bisect-text.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { explain, inSession, print, terminalWidth } from './session.js';
import { withSuite } from './suite.js';

/** `daxrepro bisect <fs> <test...>`: exits with 0 if it found the change, and with 3 if not. */
export async function bisectCommand(
  fs: string,
  tests: string[],
  options: BisectOptions,
  argv: string[],
): Promise<number> {
  const kernel = await isTreeItself(options.kernel, options.tree ?? '.');
  const asked = kernel && options.tree !== undefined ? without(options) : options;
  const overlaid = await withSuite(tests, asked);
  if (!overlaid.ok) return explain(overlaid.failure);
  const checked = checkBisection(fs, overlaid.value.words, overlaid.value.options);
  if (!checked.ok) return explain(checked.failure);
  return inSession(async (session) => {
    const bisected = await bisectJob(checked.value, options, openJob(argv, session));
    if (!bisected.ok) return bisected;
    session.reporter.end();
    print(options.json ? bisected.value : textOf(bisected.value, options));
    return success(bisected.value.answer.ending === 'found' ? EXIT.ok : EXIT.noVerdict);
  });
}

function without({ kernel: _, ...options }: BisectOptions): BisectOptions {
  return options;
}

function textOf(result: BisectionResult, { mail }: BisectOptions): string {
  if (mail) return formatBisectionMail(result);
  return formatBisectionForTerminal(result, { width: terminalWidth() });
}
