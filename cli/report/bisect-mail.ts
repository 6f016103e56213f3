import { escapeForTerminal } from '../findings/escape.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { formatBisection } from './bisect-text.js';
import { describeRange, describeVersions } from './bisect-words.js';
import { plainBody, type ReplyTo, withHeaders } from './mail-headers.js';
import { bisectionTags } from './mail-tags.js';
import { wrapCommand, wrapField, wrapText } from './wrap.js';

/** A bisection as plain text for a mailing list, in lines of at most 72 columns. */

const WIDTH = 72;

export function formatBisectionMail(result: BisectionResult, reply?: ReplyTo): string {
  const { question } = result;
  const { fs, tests, series, kernel, signature } = question;
  const fact = (label: string, text: string) =>
    wrapField(label, escapeForTerminal(text), { indent: 0, label: 10, width: WIDTH });
  const facts = [
    ...fact('Test:', `${fs} ${tests.join(' ')}`),
    ...fact('Bisected:', describeRange(result)),
    ...(kernel === '' || series !== undefined ? [] : fact('Kernel:', kernel)),
    ...(signature === null ? [] : fact('Finding:', signature)),
    ...fact('Versions:', describeVersions(result)),
  ];
  const command = `daxrepro ${result.command.join(' ')}`;
  const title = `Bisection of ${fs} ${tests.join(' ')} on DAX`;
  const body = [
    wrapText(escapeForTerminal(title), WIDTH).join('\n'),
    facts.join('\n'),
    formatBisection(result, { width: WIDTH }),
    ['To run it again:', ...wrapCommand(escapeForTerminal(command), WIDTH, 2)].join('\n'),
  ].join('\n\n');
  const tags = bisectionTags(result, reply);
  const text = [plainBody(body), ...(tags.length > 0 ? [tags.join('\n')] : [])].join('\n\n');
  return reply ? withHeaders(text, title, reply) : text;
}
