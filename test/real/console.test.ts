import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t from 'tap';
import type { RunResult } from '../../cli/results/run-result.js';
import { describe, LAUNCHER } from './daxrepro.js';

// The guest's kernel messages arrive complete, however long we do not read.
t.setTimeout(10 * 60 * 1000);

const LINES = 3000;

t.test('loses no line of the console on a busy host', async (t) => {
  const out = t.testdir();
  const running = execa(LAUNCHER, ['run', 'ext4', 'selftest/console', '--json', '--out', out], {
    reject: false,
    stdin: 'ignore',
  });
  let over = false;
  const ended = running.finally(() => {
    over = true;
  });
  // The launcher becomes the program: these stop the process that reads the console.
  while (!over) {
    running.kill('SIGSTOP');
    await sleep(400);
    running.kill('SIGCONT');
    await sleep(100);
  }
  const { stdout, stderr } = await ended;
  const result = JSON.parse(stdout) as RunResult;
  const [unit] = result.units;
  t.equal(unit?.verdict, 'pass', `${describe(result)} ${stderr}`);
  const console = readFileSync(
    join(result.directory ?? '', unit?.artifacts['console'] ?? ''),
    'utf8',
  );
  const numbers = [...console.matchAll(/^\[ *\d+\.\d{6}\] line (\d+) of 3000\r?$/gm)];
  t.strictSame(
    numbers.map(([, number]) => Number(number)),
    Array.from({ length: LINES }, (_, index) => index + 1),
  );
});
