import { closeSync, fsyncSync, openSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { guestPrograms } from '../../cli/guest/programs.js';
import { MOST_QUESTIONS } from '../../cli/power-cut/questions.js';
import { makeContext } from '../kernel/context.js';

// The program that asks an image for lost lines (guest-scripts/programs/survivor), on this machine's files.

const LINE = 64;
const root = t.testdir({ tree: {} });
const tree = join(root, 'tree');
const made = await guestPrograms({ store: makeContext(root).context.store });
if (!made.ok) throw new Error(made.failure.message);
const program = made.value.files.get('survivor') ?? '';

async function ask(questions: string): Promise<{ exitCode: number | undefined; lines: string[] }> {
  const { exitCode, stdout } = await execa(program, [tree], {
    input: questions,
    reject: false,
    maxBuffer: 64 * 2 ** 20,
  });
  return { exitCode, lines: stdout.split('\n') };
}

// Synchronised, so that it has its place on the device.
const file = openSync(join(tree, 'a'), 'w');
writeSync(file, Buffer.alloc(16 * 2 ** 20, 1));
fsyncSync(file);
closeSync(file);
/** The first extent of the file: where it is in the file and on the device, and its length in bytes. */
async function firstExtent() {
  const { exitCode, lines } = await ask(`lost 0 ${2 ** 52}\ntree\n`);
  const [, offset, position, length] =
    /^held (\d+) (\d+) (\d+)$/m.exec(lines.join('\n'))?.map(Number) ?? [];
  return exitCode === 0 && position ? { offset, position, length: length ?? 0 } : undefined;
}

const extent = made.value.missing === undefined ? await firstExtent() : undefined;
const skip = made.value.missing ?? (extent ? false : 'no FIEMAP here');
const { position = 0, length = 0 } = extent ?? {};

/** So many lines of the file, each a part of its own. */
const lost = (count: number) =>
  Array.from({ length: count }, (_, index) => `lost ${position + LINE * index} ${LINE}\n`).join('');
const held = (lines: readonly string[]) => lines.filter((line) => line.startsWith('held '));

t.test('every lost part is looked for', { skip }, async (t) => {
  const count = Math.min(70_000, Math.floor(length / LINE));
  const { exitCode, lines } = await ask(`${lost(count)}tree\n`);
  t.equal(exitCode, 0);
  t.equal(held(lines).length, count);
  t.match(held(lines).at(-1), new RegExp(`^held \\d+ ${position + LINE * (count - 1)} ${LINE}$`));
  t.strictSame(lines.slice(-2), ['done', 'end']);
});

t.test('a part that ends where an extent begins is not of its file', { skip }, async (t) => {
  const before = `lost ${position - LINE} ${LINE}\n`;
  t.strictSame((await ask(`${before}tree\n`)).lines, ['done', 'end']);
  const after = `lost ${position} ${LINE}\nlost ${position + LINE} ${LINE}\n`;
  t.equal(held((await ask(`${before}${after}tree\n`)).lines).length, 2);
});

t.test('answers that the host would not take are said to be missing', { skip }, async (t) => {
  const count = Math.floor((MOST_QUESTIONS - 100) / lost(1).length);
  if (count * LINE > length) {
    t.comment('the file is not in one piece');
    return;
  }
  const { exitCode, lines } = await ask(`${lost(count)}tree\n`);
  t.equal(exitCode, 4);
  t.not(lines.at(-1), 'end');
});

t.test('questions that it has no room for are not answered in part', { skip }, async (t) => {
  const { exitCode } = await ask(`${'lost 0 64\n'.repeat(MOST_QUESTIONS / 10)}lost 0 64\ntree\n`);
  t.equal(exitCode, 2);
});

t.test('what is beyond the end of a file is in none of its blocks', { skip }, async (t) => {
  truncateSync(join(tree, 'a'), 0);
  t.strictSame((await ask(`${lost(3)}tree\n`)).lines, ['done', 'end']);
});
