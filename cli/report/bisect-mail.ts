import { escapeForTerminal } from '../findings/escape.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { formatBisection } from './bisect-text.js';
import { describeRange, describeVersions } from './bisect-words.js';
import { wrapCommand, wrapField, wrapText } from './wrap.js';

/** A bisection as plain text for a mailing list, in lines of less than 75 columns. */

const WIDTH = 74;

export function formatBisectionMail(result: BisectionResult): string {
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
  return [
    wrapText(escapeForTerminal(`Bisection of ${fs} ${tests.join(' ')} on DAX`), WIDTH).join('\n'),
    facts.join('\n'),
    formatBisection(result, { width: WIDTH }),
    ['To run it again:', ...wrapCommand(escapeForTerminal(command), WIDTH, 2)].join('\n'),
  ].join('\n\n');
}
