import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ConsoleFile } from '../../cli/guest/console-file.js';

// The file behind a guest's console: all bytes in order, whenever they are read.

function consoleFile(t: Test) {
  const made = ConsoleFile.make();
  if (!made.ok) throw new Error(made.failure.message);
  const file = made.value;
  const chunks: Buffer[] = [];
  file.follow((chunk) => chunks.push(chunk));
  let written = 0;
  const write = (text: string) => {
    written += writeSync(file.descriptor, text, written);
  };
  t.teardown(() => file.close());
  return { file, write, text: () => Buffer.concat(chunks).toString() };
}

t.test('delivers bytes as they are written', async (t) => {
  const { write, text, file } = consoleFile(t);
  write('one\n');
  while (text() === '') await sleep(5);
  write('two\n');
  while (text() === 'one\n') await sleep(5);
  t.equal(text(), 'one\ntwo\n');
  t.equal(file.length, 8);
});

t.test('delivers on request what was written before', async (t) => {
  const { write, text, file } = consoleFile(t);
  write('now');
  file.read();
  t.equal(text(), 'now');
});

t.test('delivers everything to a busy reader in the end', async (t) => {
  const { file, write, text } = consoleFile(t);
  const line = `${'x'.repeat(99)}\n`;
  write(line.repeat(20_000));
  t.ok(file.close().ok);
  t.equal(text(), line.repeat(20_000));
});

t.test('lets the receiver of bytes read on', async (t) => {
  const made = ConsoleFile.make();
  if (!made.ok) throw new Error(made.failure.message);
  const file = made.value;
  let text = '';
  file.follow((chunk) => {
    text += chunk.toString();
    file.read();
  });
  writeSync(file.descriptor, 'once', 0);
  file.read();
  t.ok(file.close().ok);
  t.equal(text, 'once');
});
