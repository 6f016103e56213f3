/**
 * `npm run bench:starved`: guests that get too little processor time. They have no bug, so none may
 * fail; and a bug in another guest must still be found.
 *
 *     STARVED_RUNS=100    runs, starved in turn in each way of WAYS
 *     STARVED_STALLS=1    runs of selftest/stall, which hangs a task, at full speed
 *     STARVED_KERNEL=debian:6.1
 *
 * Exits with 1 if a starved run fails, or a stall caused by the guest passes.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunResult, UnitResult } from '../cli/results/run-result.js';

const RUNS = Number(process.env['STARVED_RUNS'] ?? 100);
const STALLS = Number(process.env['STARVED_STALLS'] ?? 1);
const KERNEL = process.env['STARVED_KERNEL'] ?? 'debian:6.1';
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'daxrepro-starved-'));
/** An environment variable that marks all our processes. */
const WORD = `starved-${process.pid}`;

interface Starved {
  pid: number;
  isOver: () => boolean;
}

/** Ways to starve a guest; each ends with the run. */
const WAYS: Record<string, (guest: Starved) => Promise<void>> = {
  /** Stopped for longer than the limits of RCU and the watchdogs. */
  'one long stop': async ({ pid, isOver }) => {
    await sleep(5000);
    if (!isOver()) await stop(pid, 35_000);
  },
  'one stop after another': async ({ pid, isOver }) => {
    while (!isOver()) {
      await stop(pid, 24_000);
      await sleep(2000);
    }
  },
  'short bursts': async ({ pid, isOver }) => {
    while (!isOver()) {
      await stop(pid, 270);
      await sleep(30);
    }
  },
  'many competing processes': async ({ isOver }) => {
    const crowd = Array.from({ length: 24 }, () =>
      spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
    );
    while (!isOver()) await sleep(200);
    for (const one of crowd) one.kill('SIGKILL');
  },
  'a quota of 5 %': async ({ pid, isOver }) => {
    let remove = () => {};
    try {
      remove = limit(pid);
    } catch (error) {
      // Without permission to make a control group, the run goes at full speed.
      console.log(`no quota: ${(error as Error).message}`);
    }
    while (!isOver()) await sleep(200);
    await sleep(200);
    remove();
  },
};

async function stop(pid: number, milliseconds: number): Promise<void> {
  signal(pid, 'SIGSTOP');
  await sleep(milliseconds);
  signal(pid, 'SIGCONT');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Gives a process a CPU quota, in the control-group hierarchy that exists; needs root. */
function limit(pid: number): () => void {
  const [version2, version1] = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu'] as const;
  const isVersion1 = readdirSync(version2).includes('cpu');
  const group = join(isVersion1 ? version1 : version2, WORD);
  mkdirSync(group, { recursive: true });
  if (isVersion1) {
    writeFileSync(join(group, 'cpu.cfs_period_us'), '100000');
    writeFileSync(join(group, 'cpu.cfs_quota_us'), '5000');
  } else {
    writeFileSync(join(group, 'cpu.max'), '5000 100000');
  }
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  return () => {
    try {
      rmdirSync(group);
    } catch {
      // The next run uses it again.
    }
  };
}

/** Our running guest. */
function guestOf(word: string): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isQemu = readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('qemu-system');
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (isQemu && environment.includes(`DAXREPRO_STARVED=${word}\0`)) return Number(pid);
    } catch {
      // It has ended.
    }
  }
  return undefined;
}

function start(test: string, word: string): ChildProcess {
  const words = ['dist/main.js', 'run', 'ext4', test, '--kernel', KERNEL, '--json'];
  return spawn(process.execPath, [...words, '--out', join(scratch, 'runs')], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', DAXREPRO_STARVED: word },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function outcome(child: ChildProcess): Promise<UnitResult> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  const [unit] = (JSON.parse(text) as RunResult).units;
  if (!unit) throw new Error('the run has no unit');
  return unit;
}

function describe({ verdict, reason, cpu, findings, durationSeconds }: UnitResult): string {
  const got = cpu ? `${cpu.ran} s of CPU, starved for ${cpu.starved} of ${cpu.seconds} s` : '';
  const stalls = findings.filter(({ cpu: supply }) => supply).length;
  return `${verdict} in ${durationSeconds} s (${got}; ${stalls} stalls): ${reason}`;
}

const counts = new Map<string, number>();
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
let wrong = 0;

async function starve(number: number): Promise<void> {
  const names = Object.keys(WAYS);
  const way = names[number % names.length] as string;
  const word = `${WORD}-${number}`;
  const child = start('dax/many-entries', word);
  let isOver = false;
  const ended = outcome(child).finally(() => {
    isOver = true;
  });
  let pid: number | undefined;
  while (pid === undefined && !isOver) {
    await sleep(50);
    pid = guestOf(word);
  }
  const starved = pid === undefined ? undefined : WAYS[way]?.({ pid, isOver: () => isOver });
  const unit = await ended;
  await starved;
  console.log(`${number + 1} ${way}: ${describe(unit)}`);
  count(`${way}: ${unit.verdict}`);
  if (unit.verdict === 'fail' || unit.verdict === 'invalid') wrong += 1;
}

execFileSync(process.execPath, ['bundle.js', 'dist'], { cwd: root, stdio: 'inherit' });
// The first run fills the cache for the others and is not starved.
console.log(`at full speed: ${describe(await outcome(start('dax/many-entries', WORD)))}`);
for (let number = 0; number < RUNS; number += 1) await starve(number);
for (let number = 0; number < STALLS; number += 1) {
  const unit = await outcome(start('selftest/stall', WORD));
  console.log(`a stall of its own: ${describe(unit)}`);
  count(`a stall of its own: ${unit.verdict}`);
  if (unit.verdict === 'pass') wrong += 1;
}
for (const [what, times] of [...counts].sort()) console.log(`${times}  ${what}`);
process.exitCode = wrong > 0 ? 1 : 0;
