import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { $, type ProcessOutput } from 'zx';
import type { Sources } from './sources.js';

/** One check of the sources. */
export interface Check {
  name: string;
  /** The program that it needs. */
  program?: string;
  /** @returns the problems; undefined if there are none */
  run: (sources: Sources) => Promise<string | undefined>;
}

export const CHECKS: readonly Check[] = [
  { name: 'tsc: types', run: checkTypes },
  { name: 'biome: format and lint', run: (sources) => said(at(sources)`biome check .`) },
  { name: 'layers: imports point down', run: checkLayers },
  { name: 'gcc: C with -Wall -Wextra -Werror', program: 'gcc', run: compile },
  { name: 'shellcheck: shell', program: 'shellcheck', run: checkShell },
  { name: 'perl -wc: Perl with strict and warnings', program: 'perl', run: checkPerl },
  { name: 'clang-format: C', program: 'clang-format', run: checkFormat },
];

/** Keeps tsc's state: the next check looks only at what has changed. */
function checkTypes(sources: Sources) {
  const kept = 'node_modules/.cache/tsc.json';
  return said(at(sources)`tsc --noEmit --incremental --tsBuildInfoFile ${kept}`);
}

/** Compares every import of cli/ with the map in docs/how-it-works.md. */
function checkLayers(sources: Sources) {
  return said(at(sources)`node --import ./test/loader/register.js test/docs/layers.test.ts`);
}

/** With -O2: some warnings come only from the optimiser. */
function compile(sources: Sources) {
  return each(sources.c, (file) =>
    said(at(sources)`gcc -std=gnu11 -O2 -Wall -Wextra -Werror -c -o /dev/null ${file}`),
  );
}

function checkShell(sources: Sources) {
  const groups = [
    { options: [], files: sources.shell },
    { options: ['-s', 'bash'], files: sources.bash },
  ];
  return each(groups, async ({ options, files }) =>
    files.length === 0 ? undefined : said(at(sources)`shellcheck -f gcc ${options} ${files}`),
  );
}

function checkPerl(sources: Sources) {
  return each(sources.perl, async (file) => {
    const { exitCode, stderr } = await at(sources)`perl -wc ${file}`;
    if (exitCode !== 0 || stderr !== `${file} syntax OK\n`) return stderr || `${file} has failed`;
    const text = await readFile(join(sources.directory, file), 'utf8');
    const missing = ['use strict;', 'use warnings;'].filter((line) => !text.includes(`\n${line}`));
    return missing.length === 0 ? undefined : `${file} lacks \`${missing.join(' ')}\``;
  });
}

async function checkFormat(sources: Sources) {
  const files = sources.cAndHeaders;
  if (files.length === 0) return undefined;
  return said(at(sources)`clang-format --dry-run -Werror ${files}`);
}

function at({ directory }: Sources) {
  return $({ cwd: directory, preferLocal: true, nothrow: true, quiet: true });
}

async function said(running: Promise<ProcessOutput>): Promise<string | undefined> {
  const { exitCode, signal, stdall } = await running;
  return exitCode === 0 ? undefined : stdall || `it ended with ${signal ?? exitCode}`;
}

/** One after the other: other checks run at the same time. */
async function each<T>(
  ones: readonly T[],
  check: (one: T) => Promise<string | undefined>,
): Promise<string | undefined> {
  const problems: string[] = [];
  for (const one of ones) {
    const problem = await check(one);
    if (problem !== undefined) problems.push(problem.trimEnd());
  }
  return problems.length === 0 ? undefined : problems.join('\n');
}
