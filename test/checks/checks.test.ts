import { execFileSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { CHECKS } from '../../checks/checks.js';
import { whatIsMissing } from '../../checks/missing.js';
import { findSources } from '../../checks/sources.js';
import { findProgram } from '../../cli/system/programs.js';

/** The checks of `npm run check`, with sources in which they must find problems. */

type Files = Record<string, string>;

/** A checkout with these files, not yet added to git. */
async function sourcesOf(t: Test, files: Files) {
  const tree: Record<string, unknown> = {};
  for (const [path, content] of Object.entries(files)) {
    const names = path.split('/');
    let folder = tree;
    for (const name of names.slice(0, -1)) {
      folder[name] ??= {};
      folder = folder[name] as Record<string, unknown>;
    }
    folder[names.at(-1) as string] = content;
  }
  const directory = t.testdir(tree as Parameters<Test['testdir']>[0]);
  execFileSync('git', ['init', '-q'], { cwd: directory });
  return findSources(directory);
}

/** The output of the check whose name begins like this, for these files. */
async function says(t: Test, name: string, files: Files): Promise<string> {
  const check = CHECKS.find((one) => one.name.startsWith(name));
  return (await check?.run(await sourcesOf(t, files))) ?? '';
}

const without = (program: string) =>
  findProgram(program) === undefined && `${program} is not installed`;

t.test('sorts files by language', async (t) => {
  const sources = await sourcesOf(t, {
    launcher: '#!/bin/sh\n',
    'guest-scripts/init': '#! /usr/bin/env bash\n',
    'guest-scripts/lib/unit.sh': '# a part\n',
    'guest-scripts/tests/dax/acl': '# summary: a test\n',
    'guest-scripts/xfstests/su': '#!/usr/bin/perl\n',
    'guest-scripts/lib/reporter.pl': 'use strict;\n',
    'kernels/witness/main.c': '',
    'power-cut/plugin/plugin.c': '',
    'power-cut/plugin/plugin.h': '',
    'README.md': '#!/bin/sh\n',
    'ignored.sh': '',
    '.gitignore': 'ignored.sh\n',
  });
  t.strictSame(sources.shell.sort(), ['README.md', 'guest-scripts/init', 'launcher']);
  t.strictSame(sources.bash.sort(), ['guest-scripts/lib/unit.sh', 'guest-scripts/tests/dax/acl']);
  t.strictSame(sources.perl.sort(), ['guest-scripts/lib/reporter.pl', 'guest-scripts/xfstests/su']);
  t.strictSame(sources.c, ['power-cut/plugin/plugin.c'], 'without files that need a kernel');
  t.equal(sources.cAndHeaders.length, 3);
});

t.test('rejects C with warnings of gcc', { skip: without('gcc') }, async (t) => {
  t.equal(await says(t, 'gcc', { 'a.c': 'int main(void)\n{\n\treturn 0;\n}\n' }), '');
  const unused = { 'a.c': 'int main(void)\n{\n\tint unused;\n\treturn 0;\n}\n' };
  t.match(await says(t, 'gcc', unused), /a\.c:3:\d+: error: unused variable .unused/);
  // Only the optimiser finds it.
  const later =
    'int g(int *);\nint f(int a)\n{\n\tint b;\n\tif (a)\n\t\tb = g(0);\n\treturn a > 2 ? g(&a) : b;\n}\n';
  t.match(await says(t, 'gcc', { 'a.c': later }), /.b. may be used uninitialized/);
});

t.test('rejects C in another format', { skip: without('clang-format') }, async (t) => {
  const style = { '.clang-format': 'BasedOnStyle: LLVM\n' };
  t.equal(await says(t, 'clang-format', { ...style, 'a.c': 'int a;\n' }), '');
  t.match(await says(t, 'clang-format', { ...style, 'a.h': 'int  a;\n' }), 'a.h:1:4: error:');
});

t.test('shell', { skip: without('shellcheck') }, async (t) => {
  const bash = { 'a.sh': '[[ -e $1 ]]\n' };
  t.equal(await says(t, 'shellcheck', bash), '', 'checks a part of a script as bash');
  t.match(await says(t, 'shellcheck', { a: '#!/bin/sh\n[[ -e $1 ]]\n' }), 'SC3010');
  t.match(await says(t, 'shellcheck', { ...bash, 'guest-scripts/tests/x/y': 'rm $1\n' }), 'SC2086');
});

t.test('Perl', { skip: without('perl') }, async (t) => {
  const begin = '# A program.\nuse strict;\nuse warnings;\n';
  t.equal(await says(t, 'perl', { 'a.pl': `${begin}my $a1 = 1;\n` }), '');
  t.match(await says(t, 'perl', { 'a.pl': `${begin}$a1 = 1;\n` }), 'Global symbol "$a1"');
  const twice = `${begin}my $a1 = 1;\nmy $a1 = 2;\n`;
  t.match(await says(t, 'perl', { 'a.pl': twice }), '"my" variable $a1 masks');
  t.match(await says(t, 'perl', { 'a.pl': '# A program.\nuse strict;\n' }), 'use warnings;');
});

t.test('fails if a program is missing', async (t) => {
  t.equal(whatIsMissing(undefined, ''), undefined, 'none is needed');
  const debian = { name: 'Debian', family: 'debian' as const };
  const fedora = { name: 'Fedora', family: 'fedora' as const };
  for (const { program } of CHECKS) {
    if (!program) continue;
    const problem = whatIsMissing(program, '', debian);
    t.match(problem, `${program} was not found`);
    t.match(problem, /apt-get install .*(?:gcc|shellcheck|perl-base|clang-format)/);
  }
  t.match(whatIsMissing('clang-format', '', fedora), 'dnf install clang-tools-extra');
});
