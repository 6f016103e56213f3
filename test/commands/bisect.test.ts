import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { compileInto } from '../util/compiled.js';

/** `daxrepro bisect` and `bisect run` from the command line, without guests. */

const top = t.testdir({ tree: { Makefile: 'VERSION = 6\nPATCHLEVEL = 1\n', fs: {} } });
const { main } = compileInto(top);
const tree = join(top, 'tree');
mkdirSync(join(top, 'home'));

function daxrepro(args: readonly string[], env: Record<string, string> = {}) {
  return execa('env', ['-u', 'NODE_OPTIONS', process.execPath, main, 'bisect', ...args], {
    cwd: tree,
    // The tree lies in this checkout, which git must not find.
    env: {
      HOME: join(top, 'home'),
      XDG_CACHE_HOME: join(top, 'cache'),
      GIT_CEILING_DIRECTORIES: top,
      ...env,
    },
    reject: false,
    stdin: 'ignore',
  });
}

t.test('stops the bisection if a step fails for a reason outside of the kernel', async (t) => {
  const steps: Record<string, string[]> = {
    'an option that does not exist': ['ext2', 'generic/002', '--nonsense'],
    'no file system': [],
    'no such file system': ['btrfs', 'generic/002'],
    'no such test': ['ext2', 'generic/999999'],
    'a number that is none': ['ext2', 'generic/002', '--repeat', 'often'],
    'no such kernel': ['ext2', 'generic/002', '--kernel', 'debian:1.0'],
    'a kernel without sources': ['ext2', 'generic/002', '--kernel', 'host'],
    'no repository': ['ext2', 'generic/002'],
    'no tree': ['ext2', 'generic/002', '--tree', join(top, 'nowhere')],
    'only help': ['--help'],
  };
  for (const [name, args] of Object.entries(steps)) {
    const { exitCode, stderr } = await daxrepro(['run', ...args]);
    t.equal(exitCode, 128, `${name}: ${stderr}`);
  }
});

t.test('stops the bisection if the cache cannot be written', async (t) => {
  const env = { XDG_CACHE_HOME: '/dev/null/none' };
  const { exitCode, stderr } = await daxrepro(['run', 'ext2', 'generic/002'], env);
  t.equal(exitCode, 128, stderr);
});

t.test('explains how to get a QEMU for --power-cut', async (t) => {
  const bin = join(top, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'qemu-system-x86_64'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env['PATH']}` };
  const test = ['ext4', 'power-cut/mmap-msync', '--power-cut', '--kernel', 'debian:6.1'];
  const file = join(top, 'a.patch');
  writeFileSync(file, '--- a/fs/ext4/file.c\n+++ b/fs/ext4/file.c\n@@ -1 +1 @@\n-a\n+b\n');
  const series = await daxrepro([...test, '--series', file], env);
  t.equal(series.exitCode, 2, series.stderr);
  t.match(series.stderr, /`daxrepro setup --power-cut` downloads one/);
  const step = await daxrepro(['run', ...test], env);
  t.equal(step.exitCode, 128, step.stderr);
  t.match(step.stderr, /`daxrepro setup --power-cut` downloads one/);
});

t.test('rejects incomplete and contradictory options', async (t) => {
  const asked: [RegExp, string[]][] = [
    [/--tree is missing/, []],
    [/--good is missing/, ['--tree', '.']],
    [/--bad is missing/, ['--tree', '.', '--good', 'a']],
    [/--tree does not go with --series/, ['--tree', '.', '--series', 'x.mbox']],
    [/--confidence "2"/, ['--series', 'x.mbox', '--confidence', '2']],
    [/--max-runs "none"/, ['--series', 'x.mbox', '--max-runs', 'none']],
    [/both write to stdout/, ['--series', 'x.mbox', '--json', '--mail']],
    [/x\.mbox: .*no such file/, ['--series', 'x.mbox']],
  ];
  for (const [message, args] of asked) {
    const { exitCode, stderr } = await daxrepro(['ext2', 'generic/002', ...args]);
    t.match(stderr, message);
    t.equal(exitCode, 2, args.join(' '));
  }
  const help = await daxrepro(['--help']);
  t.equal(help.exitCode, 0);
});
