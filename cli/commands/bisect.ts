import { bisectJob } from '../bisect/job.js';
import { type BisectOptions, checkBisection } from '../bisect/request.js';
import { isTreeItself } from '../bisect/tree.js';
import { openJob } from '../job/job.js';
import { unpreparedRun } from '../job/unprepared.js';
import { EXIT, success } from '../outcome.js';
import { formatBisectionMail } from '../report/bisect-mail.js';
import { formatBisectionForTerminal } from '../report/bisect-text.js';
import { type ReplyOptions, type ReplyTo, replyOfMail } from '../report/mail-headers.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { isUnprepared } from '../run/unprepared.js';
import { explain, inSession, keepResult, print, terminalWidth } from './session.js';
import { withSuite } from './suite.js';

/** `daxrepro bisect <fs> <test...>`: exits with 0 if it found the change, and with 3 if not. */
export async function bisectCommand(
  fs: string,
  tests: string[],
  options: BisectOptions & ReplyOptions,
  argv: string[],
): Promise<number> {
  const reply = replyOfMail(options.mail, options);
  if (!reply.ok) return explain(reply.failure);
  const kernel = await isTreeItself(options.kernel, options.tree ?? '.');
  const asked = kernel && options.tree !== undefined ? without(options) : options;
  const overlaid = await withSuite(tests, asked);
  if (!overlaid.ok) return explain(overlaid.failure);
  const checked = checkBisection(fs, overlaid.value.words, overlaid.value.options);
  if (!checked.ok) return explain(checked.failure);
  return inSession(async (session) => {
    const open = openJob(argv, session);
    const bisected = await bisectJob(checked.value, options, open);
    if (!bisected.ok) {
      if (!options.json || !isUnprepared(bisected.failure)) return bisected;
      explain(bisected.failure, session.reporter);
      const { request, accelerator } = checked.value.checked;
      const { failure: failed } = bisected;
      const none = { failed, requests: [request], accelerator, out: options.out };
      const document = await unpreparedRun(none, open);
      if (!document.ok) return document;
      print(document.value);
      return success(keepResult(document.value, EXIT.noVerdict, session));
    }
    session.reporter.end();
    print(options.json ? bisected.value : textOf(bisected.value, options, reply.value));
    return success(bisected.value.answer.ending === 'found' ? EXIT.ok : EXIT.noVerdict);
  });
}

function without({ kernel: _, ...options }: BisectOptions): BisectOptions {
  return options;
}

function textOf(
  result: BisectionResult,
  { mail }: BisectOptions,
  reply: ReplyTo | undefined,
): string {
  if (mail) return formatBisectionMail(result, reply);
  return formatBisectionForTerminal(result, { width: terminalWidth() });
}
