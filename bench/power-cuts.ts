/**
 * `npm run bench:power-cuts`: runs the tests of -g power-cut on an unchanged kernel, which should break no
 * promise, and measures the cost of `--power-cut`. Repeats with new seeds until enough cuts at random
 * moments were examined.
 *
 *     CUTS=1000            cuts at random moments per file system, on top of those after promises
 *     CUTS_FS=ext2,ext4,xfs
 *     CUTS_STATES=1        random images per cut
 *     CUTS_AT_ONCE=1000    random moments per test; the test ends before some of them
 *     CUTS_KERNEL=debian:6.1
 *     CUTS_SEED=1          the first seed
 *     CUTS_JOBS            guests to run in parallel
 *     CUTS_TIMES=3         runs of one test with and without power cuts, for the times; 0 for none
 *
 * Exits with 1 if a promise is broken, or a unit has no verdict. Then it keeps the runs and prints their
 * directory.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { $, tmpdir } from 'zx';
import type { RunResult } from '../cli/results/run-result.js';

const CUTS = Number(process.env['CUTS'] ?? 1000);
const FILE_SYSTEMS = (process.env['CUTS_FS'] ?? 'ext2,ext4,xfs').split(',');
const STATES = process.env['CUTS_STATES'] ?? '1';
const AT_ONCE = process.env['CUTS_AT_ONCE'] ?? '1000';
const KERNEL = process.env['CUTS_KERNEL'] ?? 'debian:6.1';
const SEED = Number(process.env['CUTS_SEED'] ?? 1);
const JOBS = process.env['CUTS_JOBS'];
const TIMES = Number(process.env['CUTS_TIMES'] ?? 3);
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = tmpdir('daxrepro-power-cuts');

type UnitResult = RunResult['units'][number];

/** A run that ends without a pass has its result all the same. */
async function run(fs: string, ...words: string[]): Promise<RunResult> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const asked = ['run', fs, ...words, '--kernel', KERNEL, '--json', '--out', scratch];
  const program = $({ cwd: root, env, nothrow: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const ran = await program`${process.execPath} dist/main.js ${asked}`;
  if (ran.stdout === '') throw new Error(`daxrepro ${asked.join(' ')}: exit code ${ran.exitCode}`);
  return ran.json<RunResult>();
}

interface Tally {
  units: number;
  moments: number;
  promised: number;
  images: number;
  repeated: number;
  asked: number;
  broken: string[];
  untold: string[];
}

function add(tally: Tally, unit: UnitResult): void {
  const { powerCut, verdict, test, reason, seed } = unit;
  if (verdict === 'notrun') return;
  tally.units += 1;
  if (powerCut) {
    tally.moments += powerCut.cuts.moments;
    tally.promised += powerCut.cuts.promised;
    tally.images += powerCut.images;
    tally.repeated += powerCut.repeated;
    tally.asked += powerCut.asked;
  }
  const what = `${test}, seed ${seed}: ${reason}`;
  const found = unit.findings.map(({ signature, message }) => `${signature}: ${message}`);
  if (verdict === 'fail') tally.broken.push([what, ...found].join('\n    '));
  else if (verdict !== 'pass') tally.untold.push(what);
}

/** Repeats runs until there were enough cuts; a run without cuts ends it too. */
async function cutsOf(fs: string): Promise<Tally> {
  const tally: Tally = {
    ...{ units: 0, moments: 0, promised: 0, images: 0, repeated: 0, asked: 0 },
    ...{ broken: [], untold: [] },
  };
  for (let seed = SEED, before = -1; tally.moments < CUTS && tally.moments > before; seed += 1) {
    before = tally.moments;
    const words = ['--power-cut', '--cuts', AT_ONCE, '--cut-states', STATES, '--seed', `${seed}`];
    const jobs = JOBS === undefined ? [] : ['--jobs', JOBS];
    const result = await run(fs, '-g', 'power-cut', ...words, ...jobs);
    for (const unit of result.units) add(tally, unit);
    process.stderr.write(`${fs}: ${tally.moments} of ${CUTS} cuts\n`);
  }
  return tally;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Seconds of a unit, with default power cuts and without. */
async function times(fs: string): Promise<{ cut: number; plain: number }> {
  const seconds = { cut: [] as number[], plain: [] as number[] };
  // The first round fills the cache.
  for (let round = 0; round <= TIMES; round += 1) {
    for (const kind of ['plain', 'cut'] as const) {
      const words = kind === 'cut' ? ['--power-cut'] : [];
      const { units } = await run(fs, 'power-cut/mmap-msync', ...words);
      if (round > 0) seconds[kind].push(units[0]?.durationSeconds ?? Number.NaN);
    }
  }
  return { cut: median(seconds.cut), plain: median(seconds.plain) };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

let held = true;
try {
  if (CUTS > 0) {
    print(`${KERNEL}, --cut-states ${STATES}\n`);
    print(
      '| | tests run | cuts at random moments | after promises | images examined | repeated images | questions | broken promises |',
    );
    print('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  }
  for (const fs of CUTS > 0 ? FILE_SYSTEMS : []) {
    const tally = await cutsOf(fs);
    const { units, moments, promised, images, repeated, asked, broken, untold } = tally;
    const numbers = [units, moments, promised, images, repeated, asked, broken.length];
    print(`| ${fs} | ${numbers.join(' | ')} |`);
    for (const one of broken) print(`  broken: ${one}`);
    for (const one of untold) print(`  no verdict: ${one}`);
    held &&= broken.length === 0 && untold.length === 0 && moments >= CUTS;
  }
  if (TIMES > 0) {
    print(`\n| power-cut/mmap-msync, median of ${TIMES} | seconds | with --power-cut | × |`);
    print('| --- | ---: | ---: | ---: |');
    for (const fs of FILE_SYSTEMS) {
      const { cut, plain } = await times(fs);
      print(`| ${fs} | ${plain.toFixed(1)} | ${cut.toFixed(1)} | ${(cut / plain).toFixed(1)} |`);
    }
  }
  process.exitCode = held ? 0 : 1;
} finally {
  if (held) rmSync(scratch, { recursive: true, force: true });
  else print(`\nThe runs are in ${scratch}`);
}
