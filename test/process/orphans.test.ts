import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { compileModulesInto } from '../util/compiled.js';
import { lives, READY } from '../util/fake-qemu.js';

/**
 * Nothing that we start outlives us, whenever we are killed: a process that starts a guest or make
 * is killed with SIGKILL at many moments of its life.
 */

const ROUNDS = { guest: 20, tree: 10 };
const AT_ONCE = 5;

const directory = t.testdir();
const { module } = compileModulesInto(directory);

/** A machine that ignores every signal it can. A shell, because it starts many times. */
const DEAF = `trap "" TERM INT HUP; printf '%s\\n' '${JSON.stringify(READY)}' >&4; exec sleep 300`;

const GUEST = `
import { startGuest } from ${JSON.stringify(module('guest/guest.js'))};
const guest = startGuest(
  ['sh', '-c', ${JSON.stringify(DEAF)}],
  { boot: 60, silence: 60, afterOops: 60 },
  { console() {}, event() {}, filePiece() {}, finding() {} },
);
await guest.ready;
console.log('running');
`;

/** A make whose compilers have children and ignore signals. */
const MAKE = `#!/bin/sh
sh -c 'trap "" TERM INT HUP; sleep 300 & sleep 300; :' &
sleep 300 &
echo running
wait
`;

const TREE = `
import { runTool } from ${JSON.stringify(module('process/child.js'))};
await runTool(['sh', ${JSON.stringify(join(directory, 'make'))}, process.argv[2]], {
  onLine: (line) => console.log(line),
});
`;

/** Processes that had this word in their initial environment. */
function processesOf(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`ORPHAN_TEST=${word}\0`);
      } catch {
        return false;
      }
    })
    .map(Number)
    .filter(lives);
}

async function round(script: string, word: string, when: number): Promise<number[]> {
  // Without what tap adds to every process of a test, which takes a second.
  const parent = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, script, word], {
    env: { ...process.env, ORPHAN_TEST: word },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const dead = new Promise((resolve) => parent.once('exit', resolve));
  // Half of the moments count from the start, half from when everything runs.
  if (when >= 0) await sleep(when);
  else {
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    await sleep(-when - 1);
  }
  parent.kill('SIGKILL');
  await dead;
  // The kernel sends the signals at once; the children receive them when they next run.
  let left = processesOf(word);
  for (let waited = 0; left.length > 0 && waited < 300_000; waited += 20) {
    await sleep(20);
    left = processesOf(word);
  }
  for (const pid of left) process.kill(pid, 'SIGKILL');
  return left;
}

writeFileSync(join(directory, 'guest.mjs'), GUEST);
writeFileSync(join(directory, 'tree.mjs'), TREE);
writeFileSync(join(directory, 'make'), MAKE);

for (const [shape, rounds] of Object.entries(ROUNDS)) {
  t.test(`${shape}: killed at ${rounds} moments`, async (t) => {
    for (let first = 0; first < rounds; first += AT_ONCE) {
      const left = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) => {
          const number = first + index;
          const when = number % 2 === 0 ? -1 - number * 3 : 20 + number * 25;
          const word = `${shape}-${process.pid}-${number}`;
          return round(join(directory, `${shape}.mjs`), word, when);
        }),
      );
      t.strictSame(left.flat(), [], `rounds from ${first} leave nothing`);
    }
  });
}
