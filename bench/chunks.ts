/**
 * `npm run bench:chunks`: planned runs of 1,000, 10,000 and 100,000 units, with results that no guest
 * made: how long planning, collecting and reports take, how much memory they need, and how both grow.
 *
 *     BENCH_UNITS=1000,10000      other sizes
 */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { tmpdir } from 'zx';
import { collect } from '../cli/chunks/collect.js';
import type { PlannedRun } from '../cli/chunks/planned-run.js';
import { readPlan, readUnits } from '../cli/chunks/read-plan.js';
import { publishUnit } from '../cli/chunks/unit-file.js';
import { writePlan } from '../cli/chunks/write-plan.js';
import { print } from '../cli/commands/session.js';
import { success } from '../cli/outcome.js';
import { planUnits } from '../cli/plan/plan.js';
import { formatJunit } from '../cli/report/junit.js';
import { writeDocument, writeWhole } from '../cli/results/run-directory.js';
import type { UnitResult } from '../cli/results/run-result.js';
import { replayCommand } from '../cli/run/replay-command.js';
import { checkRequest } from '../cli/run/request.js';
import { PREPARED } from '../test/util/fake-qemu.js';
import { UNIT } from '../test/util/results.js';

const TESTS = ['generic/002', 'dax/rename', 'dax/symlinks', 'dax/xattr', 'dax/truncate'];
const LIMITS: Record<string, string> = {
  plan: '100,000 units: 60 s, 1 GB',
  collect: '100,000 units: 90 s, 1 GB',
};

/** A run of so many units, on files that stand for a kernel and a guest image. */
function runOf(count: number, directory: string): PlannedRun {
  const repeat = String(count / TESTS.length);
  const options = {
    kernel: 'debian:6.1',
    pmem: 'memmap',
    suite: 'builtin',
    cpus: '1',
    accel: 'tcg',
  };
  const checked = checkRequest('ext4', TESTS, { ...options, repeat, seed: '1' });
  if (!checked.ok) throw new Error(checked.failure.message);
  const { request } = checked.value;
  const file = join(directory, 'stand-in');
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, 'an image');
  const kernel = { ...PREPARED.kernel, image: file, bootImage: file };
  const prepared = success({ ...PREPARED, kernel, initramfs: file });
  const job = {
    ...{ argv: ['run', 'ext4', ...TESTS], started: new Date(), userTests: new Map() },
    ...{ store: { root: join(directory, 'cache') }, powerCut: undefined },
  } as unknown as PlannedRun['job'];
  return {
    ...{ kind: 'run', job, requests: [request], kernels: [], fileSystems: ['ext4'], expected: [] },
    settings: {
      ...{ accelerator: 'tcg', checkpoints: true, together: false, explain: false, imageBytes: 0 },
    },
    units: planUnits(request, '6.1.0').map((unit) => ({
      ...{ unit, prepared, replay: (after) => replayCommand(unit, request, after) },
    })),
  };
}

/** A result for each unit: one in a hundred fails. */
function fill(directory: string): void {
  const plan = readPlan(directory);
  if (!plan.ok) throw new Error(plan.failure.message);
  const work = join(directory, 'work/bench-1-a');
  const machine = { host: 'n1', kernel: '6', qemu: 'QEMU 9', node: 'v20', cpus: 2 };
  for (const file of plan.value.all) {
    const units = readUnits(directory, file);
    for (const one of units.ok ? units.value : []) {
      const { fs, test, attempt, seed } = one.unit;
      const fails = one.at % 100 === 0;
      const result: UnitResult = {
        ...{ ...UNIT, fs, test, attempt, seed, machine, replay: one.replay },
        ...(fails ? { verdict: 'fail', reason: 'the test failed' } : {}),
        artifacts: { console: `${one.index}/console.log`, fsck: `${one.index}/fsck.log` },
      };
      publishUnit(one, result, { directory, work, plan: plan.value.id, session: 'bench-1-a' });
    }
  }
}

async function step(name: string, directory: string, count: number): Promise<void> {
  if (name === 'plan') {
    const run = runOf(count, `${directory}-stand-in`);
    const written = await writePlan(run, directory, { target: 600 });
    if (!written.ok) throw new Error(written.failure.message);
  } else if (name === 'fill') fill(directory);
  else {
    const collected = collect(directory);
    if (!collected.ok) throw new Error(collected.failure.message);
    const { result } = collected.value;
    if (result.units.length !== count || collected.value.missing > 0) throw new Error('lost units');
    writeDocument(join(directory, 'result.json'), result);
    writeWhole(join(directory, 'results.xml'), formatJunit(result));
  }
}

interface Measured {
  seconds: number;
  megabytes: number;
}

const self = fileURLToPath(import.meta.url);
const loader = fileURLToPath(new URL('../test/loader/register.js', import.meta.url));

/** A step in a process of its own, for its own peak of memory. */
async function measured(name: string, directory: string, count: number): Promise<Measured> {
  const argv = ['--import', loader, self, name, directory, String(count)];
  const { stdout } = await execa(process.execPath, argv, { timeout: 30 * 60_000 });
  return JSON.parse(stdout) as Measured;
}

async function report(directory: string, words: readonly string[]): Promise<Measured> {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const begun = performance.now();
  await execa(process.execPath, [main, 'report', directory, ...words], { timeout: 10 * 60_000 });
  return { seconds: (performance.now() - begun) / 1000, megabytes: 0 };
}

/** Of time: 1 if ten times the units take ten times as long. */
function exponent(sizes: readonly number[], values: readonly number[]): string {
  const [first = 1, last = 1] = [values[0], values.at(-1)];
  const growth = Math.log(last / first) / Math.log((sizes.at(-1) ?? 1) / (sizes[0] ?? 1));
  return growth.toFixed(2);
}

async function main(): Promise<void> {
  const sizes = (process.env['BENCH_UNITS'] ?? '1000,10000,100000').split(',').map(Number);
  const scratch = tmpdir('daxrepro-bench-chunks');
  const rows = new Map<string, Measured[]>();
  for (const count of sizes) {
    const directory = join(scratch, String(count));
    for (const name of ['plan', 'fill', 'collect']) {
      const one = await measured(name, directory, count);
      rows.set(name, [...(rows.get(name) ?? []), one]);
      print(`${count} ${name}: ${one.seconds.toFixed(1)} s, ${one.megabytes.toFixed(0)} MB`);
    }
    if (count <= 20_000) {
      for (const words of [[], ['--output', join(scratch, `${count}.html`)]]) {
        const one = await report(directory, words);
        print(
          `${count} report ${words.length > 0 ? 'as HTML' : 'as text'}: ${one.seconds.toFixed(1)} s`,
        );
      }
      print(
        `${count} HTML: ${(statSync(join(scratch, `${count}.html`)).size / 2 ** 20).toFixed(1)} MB`,
      );
    }
    rmSync(directory, { recursive: true, force: true });
  }
  for (const [name, all] of rows) {
    if (name === 'fill') continue;
    const seconds = exponent(
      sizes,
      all.map((one) => one.seconds),
    );
    const memory = exponent(
      sizes,
      all.map((one) => one.megabytes),
    );
    print(`${name}: time grows as n^${seconds}, memory as n^${memory} (limit: ${LIMITS[name]})`);
  }
  rmSync(scratch, { recursive: true, force: true });
}

const [name, directory, count] = process.argv.slice(2);
if (name === undefined || directory === undefined) await main();
else {
  const begun = performance.now();
  await step(name, directory, Number(count));
  const seconds = (performance.now() - begun) / 1000;
  print(JSON.stringify({ seconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
}
