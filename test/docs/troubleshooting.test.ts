import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** docs/troubleshooting.md, an index of messages: each is one that the program says, and it has those that matter. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const index = readFileSync(`${root}docs/troubleshooting.md`, 'utf8');
const messages = [...index.matchAll(/^\| `([^|]+)` \|/gm)].map(([, message = '']) => message);

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(directory, path), 'utf8'));
}
const code = [...sources(`${root}cli`), readFileSync(`${root}daxrepro`, 'utf8')]
  .join('\n')
  // A message that is written in several pieces, or with a quote in it.
  .replaceAll(/['`] \+\s+['`]/g, '')
  .replaceAll("\\'", "'");

/** What of a message does not change. */
function pieces(message: string): string[] {
  return message
    .split(/…/)
    .map((piece) => piece.trim())
    .filter((piece) => /\w{2}/.test(piece));
}

t.test('each message of the index is in the code', async (t) => {
  t.ok(messages.length > 40);
  for (const message of messages) {
    const missing = pieces(message).filter((piece) => !code.includes(piece));
    t.strictSame(missing, [], message);
  }
});

/** Parts of sentences that say nothing by themselves, and what is no trouble. */
const PARTS = [
  '; the kernel says',
  'the test turned DAX off on purpose',
  'the test passed',
  ' more findings)',
  'was killed by',
  'QEMU ${',
  // A part of what is said of a busy host, which has a row.
  's nothing is known',
  // Of a pass, and of a test that does not apply.
  'of a starved guest',
  'at other moments found no problems',
  'so nothing was promised',
  'promises anything on this file system',
  'had their data on the medium',
  'and its exit status is',
  'its exit code is',
];

t.test('the index has what a verdict without an answer says', async (t) => {
  const said = sources(`${root}cli/verdict`).flatMap((text) => {
    const reasons = [
      ...text.matchAll(/verdict: '(?:error|invalid)',\s+reason: [`']([^`'\n]{12,}(?:[`'])?)/g),
      ...text.matchAll(/(?:problems\.push\(|return |\? |: )\s*`([^`]{12,})`/g),
    ];
    return reasons.map(([, reason = '']) => reason);
  });
  t.ok(said.length > 15);
  const whole = said.filter((reason) => !PARTS.some((part) => reason.includes(part)));
  const unknown = whole.filter((reason) => {
    const fixed = reason.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/).map((piece) => piece.trim());
    const longest = fixed.sort((a, b) => b.length - a.length)[0] ?? '';
    return longest.length > 11 && !index.includes(longest.replaceAll(/^\W+|[^\w)]+$/g, ''));
  });
  t.strictSame(unknown, []);
});
