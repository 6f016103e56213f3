import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { ContractRun } from '../util/contract.js';
import { fakeMachine } from '../util/fake-machine.js';
import { readLog } from '../util/fake-qemu.js';

/** `daxrepro mutate` from the command line: what it refuses, before any guest starts. */

const { top, main, bin, bzImage } = fakeMachine(t);
mkdirSync(join(top, 'home'));

function mutate(args: readonly string[]) {
  return execa('env', ['-u', 'NODE_OPTIONS', process.execPath, main, 'mutate', ...args], {
    env: {
      PATH: `${bin}:${process.env['PATH']}`,
      HOME: join(top, 'home'),
      XDG_CACHE_HOME: join(top, 'cache'),
      XDG_STATE_HOME: join(top, 'state'),
      FAKE_QEMU_LOG: join(top, 'qemu.log'),
    },
    reject: false,
    stdin: 'ignore',
  });
}

t.test('wrong usage is explained', async (t) => {
  const asked: [RegExp, string[]][] = [
    [/file system "btrfs" is not known/, ['btrfs']],
    [/--operators "nonsense" is not known/, ['ext2', '--operators', 'nonsense']],
    [/--limit "0" is not a number from 1/, ['ext2', '--limit', '0']],
    [/--seed "-1" is not a number/, ['ext2', '--seed=-1']],
    [/--functions "a b" is not the name of a function/, ['ext2', '--functions', 'a b']],
    [/--pmem none runs without DAX/, ['ext2', '--pmem', 'none']],
    [/nosuch\/001/, ['ext2', 'nosuch/001']],
    [/--cuts without --power-cut/, ['ext2', '--cuts', '3']],
    [/unknown option/, ['ext2', '--repeat', '3']],
  ];
  for (const [message, args] of asked) {
    const { exitCode, stdout, stderr } = await mutate(args);
    t.match(stderr, message, args.join(' '));
    t.equal(exitCode, 2, args.join(' '));
    t.equal(stdout, '');
  }
});

t.test('several mistakes are reported at once', async (t) => {
  const { stderr } = await mutate(['ext2', '--operators', 'x', '--limit', 'y']);
  t.match(stderr, /--operators "x"/);
  t.match(stderr, /--limit "y"/);
});

t.test('a kernel without sources has no mutants', async (t) => {
  for (const more of [['--list'], []]) {
    const args = ['ext2', '--kernel', `image:${bzImage}`, '--accel', 'tcg', ...more];
    const { exitCode, stderr } = await mutate(args);
    t.equal(exitCode, 2, stderr);
    t.match(stderr, /There are no (?:headers and )?sources to /);
    t.match(stderr, /--kernel debian:6\.1/);
  }
  t.ok(
    readLog(join(top, 'qemu.log')).every(({ request }) => request === undefined),
    'no test ran',
  );
  t.notOk(existsSync(join(top, 'state')), 'and no directory is left');
});

t.test('--json gives a document if nothing could be prepared', async (t) => {
  const tree = join(top, 'broken');
  mkdirSync(tree);
  const makefile = 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n%:\n\t@touch $@.made; exit 1\n';
  writeFileSync(join(tree, 'Makefile'), makefile);
  const args = ['ext2', 'dax/acl', '--json', '--kernel', `src:${tree}`, '--out', join(top, 'out')];
  const { exitCode, stdout, stderr } = await mutate(args);
  t.equal(exitCode, 3, stderr);
  t.match(ContractRun.parse(JSON.parse(stdout)), {
    verdict: 'error',
    units: [{ test: 'dax/acl' }],
  });
  t.equal(readdirSync(join(top, 'out')).length, 1);
});
