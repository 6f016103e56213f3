/**
 * Runs quick tests of a real xfstests tree with daxrepro, and those that neither pass nor are skipped with the
 * tree's own `check` in a plain guest, and writes docs/xfstests-results.md:
 *
 *     npm run docs:xfstests -- --suite ~/xfstests-dev --into ~/results
 *     npm run docs:xfstests -- --into ~/results --write
 *
 * The first command runs what is missing in the directory, in parts, so that an interrupted series continues
 * where it stopped. The second only writes the page. docs/xfstests-results.yaml explains each verdict other than
 * `pass` and `notrun`, and each difference from `check`; without an explanation the command exits with 1.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { $, argv } from 'zx';
import type { RunResult, UnitResult } from '../cli/results/run-result.js';

const COMBINATIONS = [
  { fs: 'xfs', kernel: 'debian:7.2' },
  { fs: 'ext4', kernel: 'debian:6.1' },
  { fs: 'xfs', kernel: 'debian:6.1' },
  { fs: 'ext4', kernel: 'debian:7.2' },
] as const;

/** How many tests each combination runs, at even distances among the quick tests of its file system. */
const TESTS = Number(argv['tests'] ?? 160);
const PARTS = 4;

const SUITE = resolve(String(argv['suite'] ?? ''));
const INTO = resolve(String(argv['into'] ?? 'xfstests-results'));
const DAXREPRO = fileURLToPath(new URL('../daxrepro', import.meta.url));
const place = (name: string) => fileURLToPath(new URL(name, import.meta.url));

type Combination = (typeof COMBINATIONS)[number];
type CheckOutcome = 'pass' | 'notrun' | 'fail' | 'crashed';

const Explanations = z.array(
  z.strictObject({
    tests: z.array(z.string()),
    fs: z.enum(['ext4', 'xfs']).optional(),
    kernel: z.string().optional(),
    cause: z.enum([
      'kernel bug',
      'test bug',
      'emulation artifact',
      'our bug, now fixed',
      'set-up',
      'no DAX',
    ]),
    text: z.string(),
  }),
);

async function quickTests(fs: string): Promise<string[]> {
  const listed = await $({ quiet: true })`${DAXREPRO} list ${fs} -g quick --suite ${SUITE} --json`;
  const ids = (JSON.parse(listed.stdout) as { tests: { id: string }[] }).tests.map(({ id }) => id);
  const step = Math.max(1, ids.length / TESTS);
  return ids.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

function fileOf({ fs, kernel }: Combination, part: number | string, what: string): string {
  return join(INTO, `${fs}-${kernel.replace(':', '-')}-${part}.${what}`);
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function runWithDaxrepro(one: Combination, tests: readonly string[], file: string) {
  const words = [
    ...['run', one.fs, ...tests, '--suite', SUITE, '--kernel', one.kernel, '--together'],
    ...['--jobs', '1', '--timeout', '5m', '--out', join(INTO, 'runs'), '--json'],
  ];
  const ran = await $({ quiet: true, nothrow: true })`${DAXREPRO} ${words}`;
  if (ran.stdout === '') throw new Error(`daxrepro printed no result: ${ran.stderr}`);
  writeWhole(file, ran.stdout);
}

/** Runs `check` as a user would. After a test that takes the guest down, a new guest runs the rest. */
async function runWithCheck(one: Combination, tests: readonly string[], file: string) {
  const outcomes: Record<string, CheckOutcome> = {};
  let left = [...tests];
  while (left.length > 0) {
    const words = [
      ...['shell', one.fs, '--suite', SUITE, '--kernel', one.kernel, '--timeout', '90m'],
      ...['--out', join(INTO, 'runs'), '--run', `./check ${left.join(' ')}; true`],
    ];
    const ran = await $({ quiet: true, nothrow: true })`${DAXREPRO} ${words}`;
    const read = outcomesOfCheck(ran.stdout);
    if (Object.keys(read).length === 0) throw new Error(`check ran no test: ${ran.stderr}`);
    Object.assign(outcomes, read);
    left = left.filter((test) => outcomes[test] === undefined);
  }
  writeWhole(file, JSON.stringify(outcomes));
}

/** From the lists that `check` prints at its end, or, if it did not reach it, from its line per test. */
function outcomesOfCheck(output: string): Record<string, CheckOutcome> {
  const outcomes: Record<string, CheckOutcome> = {};
  const listed = (title: string): string[] =>
    new RegExp(`^${title}: (.*)$`, 'm').exec(output)?.[1]?.trim().split(/\s+/) ?? [];
  const isFinished = /^Ran: /m.test(output);
  const lines = [...output.matchAll(/^(?<test>(?:generic|ext4|xfs)\/\d+)\b(?<rest>.*)$/gm)];
  for (const [index, { groups = {} }] of lines.entries()) {
    const { test = '', rest = '' } = groups;
    const isLast = index === lines.length - 1;
    if (/\[not run\]/.test(rest)) outcomes[test] = 'notrun';
    else if (isLast && !isFinished && !/\ds\s*$/.test(rest)) outcomes[test] = 'crashed';
    else if (/\[failed|output mismatch|see \S+\/results/.test(rest)) outcomes[test] = 'fail';
    else outcomes[test] = 'pass';
  }
  for (const test of listed('Not run')) outcomes[test] = 'notrun';
  for (const test of listed('Failures')) outcomes[test] = 'fail';
  return outcomes;
}

async function runMissing(): Promise<void> {
  mkdirSync(join(INTO, 'runs'), { recursive: true });
  for (let part = 1; part <= PARTS; part += 1) {
    for (const one of COMBINATIONS) {
      const file = fileOf(one, part, 'json');
      if (existsSync(file)) continue;
      const tests = (await quickTests(one.fs)).filter((_, index) => index % PARTS === part - 1);
      console.error(`${file}: ${tests.length} tests`);
      await runWithDaxrepro(one, tests, file);
    }
  }
  for (const one of COMBINATIONS) {
    const file = fileOf(one, 'plain', 'check');
    const tests = readUnits(one)
      .filter(isRemarkable)
      .map(({ test }) => test);
    if (existsSync(file) || tests.length === 0) continue;
    console.error(`${file}: ${tests.length} tests`);
    await runWithCheck(one, tests, file);
  }
}

const isRemarkable = ({ verdict }: UnitResult) => verdict !== 'pass' && verdict !== 'notrun';

function readRuns(one: Combination): RunResult[] {
  const files = Array.from({ length: PARTS }, (_, part) => fileOf(one, part + 1, 'json'));
  return files
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')));
}

const readUnits = (one: Combination): UnitResult[] => readRuns(one).flatMap(({ units }) => units);

function readCheck(one: Combination): Record<string, CheckOutcome> {
  const files = [1, 2, 3, 4, 'plain'].map((part) => fileOf(one, part, 'check'));
  const read = files.filter((file) => existsSync(file));
  return Object.assign({}, ...read.map((file) => JSON.parse(readFileSync(file, 'utf8'))));
}

/** A cell of a Markdown table. */
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();

const row = (...cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;

const VERDICTS = ['pass', 'notrun', 'fail', 'invalid', 'error'] as const;

function summary(): string[] {
  const rows = COMBINATIONS.map((one) => {
    const units = readUnits(one);
    const counts = VERDICTS.map(
      (verdict) => units.filter((unit) => unit.verdict === verdict).length,
    );
    const checked = Object.keys(readCheck(one)).length;
    return row(
      one.fs,
      units[0]?.kernel.release ?? one.kernel,
      ...[units.length, ...counts, checked].map(String),
    );
  });
  return [
    row('file system', 'kernel', 'tests', ...VERDICTS, 'also by `check`'),
    row('---', '---', '--:', ...VERDICTS.map(() => '--:'), '--:'),
    ...rows,
  ];
}

const unexplained: string[] = [];

/** Each verdict other than pass and notrun, and each difference from `check`. */
function remarkable(): string[] {
  const explanations = Explanations.parse(
    parse(readFileSync(place('xfstests-results.yaml'), 'utf8')),
  );
  const rows = COMBINATIONS.flatMap((one) => {
    const check = readCheck(one);
    return readUnits(one).flatMap((unit) => {
      const said = check[unit.test];
      if (!isRemarkable(unit) && (said === undefined || said === unit.verdict)) return [];
      const why = explanations.find(
        ({ tests, fs = one.fs, kernel = one.kernel }) =>
          tests.includes(unit.test) && fs === one.fs && kernel === one.kernel,
      );
      if (!why)
        unexplained.push(
          `${one.fs} ${one.kernel} ${unit.test} ${unit.verdict}, check: ${said}: ${unit.reason}`,
        );
      const where = `${one.fs}, ${one.kernel.replace('debian:', '')}`;
      return [
        row(unit.test, where, unit.verdict, said ?? 'not asked', why?.cause ?? '', why?.text ?? ''),
      ];
    });
  });
  return [
    row('test', 'on', 'daxrepro', '`check`', 'cause', 'explanation'),
    row(...Array.from({ length: 6 }, () => '---')),
    ...rows.sort(),
  ];
}

function lists(): string[] {
  return COMBINATIONS.flatMap((one) => {
    const units = readUnits(one);
    const ids = (verdict: string) =>
      units
        .filter((unit) => unit.verdict === verdict)
        .map(({ test }) => test)
        .sort()
        .join(' ');
    return [
      `### ${one.fs} on ${one.kernel}`,
      `pass: ${ids('pass')}`,
      `notrun: ${ids('notrun')}`,
    ].flatMap((text) => [text, '']);
  });
}

function page(): string {
  const [first] = COMBINATIONS.flatMap(readRuns);
  const suite = first?.units[0]?.suite.version ?? '';
  return [
    '# xfstests: the verdicts of daxrepro and of check',
    '',
    `Written by \`npm run docs:xfstests\`. Tests of \`-g quick\` of xfstests ${suite}, at even distances, run with`,
    '`--together` on memmap devices under emulation. Every test of the first table is in one of the lists below it.',
    "The last column counts the tests that the tree's own `check` ran as well, in a plain guest (`daxrepro shell --run`).",
    '',
    ...summary(),
    '',
    '## Failures, tests without a verdict, and differences',
    '',
    'A `pass` of `check` does not show that the file system used DAX. That is why `invalid` stands beside it.',
    '',
    ...remarkable(),
    '',
    '## All other tests',
    '',
    ...lists(),
  ].join('\n');
}

if (!argv['write']) await runMissing();
writeWhole(place('xfstests-results.md'), page());
for (const line of unexplained) console.error(`no explanation: ${line}`);
process.exitCode = unexplained.length > 0 ? 1 : 0;
