import type { BisectionResult } from '../bisect/result.js';
import { escapeForTerminal } from '../findings/escape.js';
import { formatBisection } from './bisect-text.js';
import { wrapCommand, wrapField, wrapText } from './wrap.js';

/** A bisection as plain text for a mail to a kernel list: no line has 75 characters. */

const WIDTH = 74;

export function formatBisectionMail(result: BisectionResult): string {
  const { question, host, tool } = result;
  const { fs, tests, good, bad, series, kernel, signature } = question;
  const fact = (label: string, text: string) =>
    wrapField(label, escapeForTerminal(text), { indent: 0, label: 10, width: WIDTH });
  const range =
    series === undefined ? `${good?.slice(0, 12)}..${bad?.slice(0, 12)}` : `a series on ${kernel}`;
  const facts = [
    ...fact('Test:', `${fs} ${tests.join(' ')}`),
    ...fact('Bisected:', `${range}, ${question.changes} changes`),
    ...(kernel === '' || series !== undefined ? [] : fact('Kernel:', kernel)),
    ...(signature === null ? [] : fact('Finding:', signature)),
    ...fact(
      'Versions:',
      `daxrepro ${tool.version}, ${host.qemu.replace(/^QEMU emulator version /, 'QEMU ')}`,
    ),
  ];
  const command = `daxrepro ${result.command.join(' ')}`;
  return [
    wrapText(escapeForTerminal(`Bisection of ${fs} ${tests.join(' ')} on DAX`), WIDTH).join('\n'),
    facts.join('\n'),
    formatBisection(result, { width: WIDTH }),
    ['To run it again:', ...wrapCommand(escapeForTerminal(command), WIDTH, 2)].join('\n'),
  ].join('\n\n');
}
