/**
 * `npm run bench:endure`: checks that many guests and sudden deaths leave nothing behind.
 *
 *     ENDURE_CLONES=500   clones of one checkpoint in one run, one after the other (ENDURE_JOBS=1)
 *     ENDURE_KILLS=50     runs killed with SIGKILL at a random moment, some while they make the
 *                         checkpoint; after each fifth, one run must pass
 *
 * Exits with 1 if a verdict is not `pass`, a process is left, or memory or files have grown.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../cli/results/run-result.js';
import { defaultStore } from '../cli/store/store.js';

const CLONES = Number(process.env['ENDURE_CLONES'] ?? 500);
const KILLS = Number(process.env['ENDURE_KILLS'] ?? 50);
const JOBS = process.env['ENDURE_JOBS'] ?? '1';
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'daxrepro-endure-'));
/** An environment variable that marks all our processes. */
const WORD = `endure-${process.pid}`;

/** Both kinds of checkpoints. */
const OWN = ['checkpoint', 'mounted-guest'];

/** The user's cache, but without checkpoints: these are made here, where they can break. */
function ownCache(): string {
  const home = join(scratch, 'cache');
  const own = join(home, 'daxrepro');
  for (const kind of OWN) mkdirSync(join(own, kind), { recursive: true });
  const { root: users } = defaultStore();
  for (const kind of existsSync(users) ? readdirSync(users) : []) {
    if (!OWN.includes(kind)) symlinkSync(join(users, kind), join(own, kind));
  }
  return home;
}

const cache = ownCache();

function start(...words: string[]): ChildProcess {
  const all = ['dist/main.js', 'run', 'ext2', 'generic/002', ...words, '--json'];
  return spawn(process.execPath, [...all, '--out', join(scratch, 'runs')], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: cache, DAXREPRO_ENDURE: WORD },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** The output of a run after its end; undefined if there is none. */
async function outcome(child: ChildProcess): Promise<RunResult | undefined> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  return text === '' ? undefined : (JSON.parse(text) as RunResult);
}

/** All living processes that we started, directly or not. */
function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`DAXREPRO_ENDURE=${WORD}\0`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

interface Sample {
  processes: number;
  files: number;
  megabytes: number;
}

function sample(pid: number): Sample | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return {
      processes: processes().length,
      files: readdirSync(`/proc/${pid}/fd`).length,
      megabytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024,
    };
  } catch {
    return undefined;
  }
}

function largest(samples: readonly Sample[], key: keyof Sample): number {
  return Math.max(...samples.map((each) => each[key]));
}

async function clones(): Promise<boolean> {
  const child = start('--repeat', String(CLONES), '--jobs', JOBS);
  const samples: Sample[] = [];
  const looking = setInterval(() => {
    const seen = sample(child.pid as number);
    if (seen) samples.push(seen);
  }, 500);
  const result = await outcome(child);
  clearInterval(looking);
  const units = result?.units ?? [];
  const passed = units.filter(({ verdict, cloned }) => verdict === 'pass' && cloned).length;
  // The first tenth is warming up.
  const steady = samples.slice(Math.ceil(samples.length / 10));
  const half = Math.floor(steady.length / 2);
  const [first, second] = [steady.slice(0, half), steady.slice(half)];
  const rows = (['processes', 'files', 'megabytes'] as const).map((key) => ({
    key,
    before: largest(first, key),
    after: largest(second, key),
  }));
  print(`| ${passed} of ${CLONES} clones passed | first half, most | second half, most |`);
  print('| --- | ---: | ---: |');
  for (const { key, before, after } of rows) {
    print(`| ${key} | ${before.toFixed(0)} | ${after.toFixed(0)} |`);
  }
  // A heap may vary; a leak per clone would show a hundredfold.
  const grown = rows.some(({ before, after }) => after > before * 1.1 + 8);
  return passed === CLONES && units.length === CLONES && !grown;
}

async function kills(): Promise<boolean> {
  const counts = { left: 0, broken: 0, while: { making: 0, running: 0 } };
  const shelves = OWN.map((kind) => join(cache, 'daxrepro', kind));
  for (let round = 0; round < KILLS; round += 1) {
    const making = round % 5 === 4;
    if (making)
      for (const shelf of shelves)
        for (const name of readdirSync(shelf)) rmSync(join(shelf, name), { recursive: true });
    const child = start();
    await sleep(Math.random() * (making ? 12_000 : 3_500));
    counts.while[making ? 'making' : 'running'] += Number(child.exitCode === null);
    child.kill('SIGKILL');
    // The kernel sends its signals at once; a process receives them when it next runs.
    for (let tries = 0; tries < 40 && processes().length > 0; tries += 1) await sleep(50);
    counts.left += processes().length;
    if (making) {
      const after = await outcome(start());
      counts.broken += Number(after?.verdict !== 'pass');
    }
    process.stderr.write(`killed ${round + 1} of ${KILLS}\n`);
  }
  const { left, broken } = counts;
  const { making, running } = counts.while;
  print(
    `${KILLS} SIGKILLs, ${making + running} before the end, ${making} of them with a checkpoint to make: ` +
      `${left} processes left, ${broken} runs afterwards without a pass.`,
  );
  return left === 0 && broken === 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  // Runs both, one after the other: the second is worth knowing even if the first failed.
  const held = [KILLS > 0 ? await kills() : true, CLONES > 0 ? await clones() : true];
  process.exitCode = held.every(Boolean) ? 0 : 1;
} finally {
  for (const pid of processes()) process.kill(pid, 'SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
}
