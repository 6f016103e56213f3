import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import { textWidth } from '../../cli/columns.js';
import { wrapCommand } from '../../cli/report/wrap.js';
import { shellQuote } from '../../cli/shell-quote.js';

t.test('wraps a command so that a shell reads the same words', async (t) => {
  const word = fc.oneof(
    fc.constantFrom('--kernel', '-o', 'ext2', 'generic/002', ''),
    fc.string({ maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[\0\r\n]/.test(text)),
  );
  // One shell for all commands is fast.
  const commands = fc.sample(fc.array(word, { minLength: 1, maxLength: 8 }), 200);
  const script = commands.map((words) => {
    const lines = wrapCommand(words.map(shellQuote).join(' '), 40, 2);
    for (const line of lines) if (textWidth(line) > 40) t.fail(line);
    return `printf '%s\\0' ${lines.join('\n').trimStart()}\nprintf '\\0'\n`;
  });
  const printed = execFileSync('sh', { input: script.join(''), encoding: 'utf8' });
  const expected = commands.map((words) => `${words.map((one) => `${one}\0`).join('')}\0`).join('');
  t.equal(printed, expected);
});
