import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { findProgram } from '../../cli/system/programs.js';
import { makeBuildTree } from '../userland/build-tree.js';
import { fakeMachine } from '../util/fake-machine.js';
import { unitSteps } from '../util/units.js';

/** Programs of a build tree from the command line, with a fake QEMU: in the result, a replay and a bundle. */

const { top, main, bin, bzImage } = fakeMachine(t);

let cases = 0;

async function daxrepro(argv: string[]) {
  cases += 1;
  const place = join(top, 'cases', String(cases));
  mkdirSync(place);
  const script = join(place, 'script.json');
  writeFileSync(script, JSON.stringify(unitSteps()));
  const own = ['--accel', 'tcg', '--no-checkpoint', '--out', join(place, 'runs')];
  const ran = await execa(
    'env',
    [
      ...['-u', 'NODE_OPTIONS', process.execPath, main, ...argv],
      ...(argv[0] === 'bundle' ? [] : own),
    ],
    {
      env: {
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: join(place, 'home'),
        XDG_CACHE_HOME: join(top, 'cache'),
        XDG_STATE_HOME: join(place, 'state'),
        FAKE_QEMU_SCRIPT: script,
        FAKE_QEMU_LOG: join(place, 'qemu.log'),
      },
      reject: false,
    },
  );
  const run = () => join(place, 'runs', readdirSync(join(place, 'runs'))[0] ?? '');
  return { ...ran, run };
}

const skip = ['bsdtar', 'ndctl', 'zstd'].some((name) => !findProgram(name));

t.test('a run, its replay and its bundle use the same programs', { skip }, async (t) => {
  const tree = makeBuildTree('e2fsprogs', join(top, 'trees/e2fsprogs'));
  const kernel = ['--kernel', `image:${bzImage}`];
  const options = ['--e2fsprogs', tree, '--json'];
  const first = await daxrepro(['run', 'ext4', 'generic/002', ...kernel, ...options]);
  const result = JSON.parse(first.stdout);
  t.match(result.tools, {
    e2fsprogs: '9.8.7',
    e2fsprogsFrom: /trees\/e2fsprogs \([0-9a-f]{12}\)$/,
  });
  t.match(result.units[0].replay, `--e2fsprogs ${tree}`);
  const run = first.run();
  t.same(readdirSync(join(run, 'inputs/packages')), ['001-e2fsprogs.cpio']);

  // The developer goes on working.
  rmSync(tree, { recursive: true });
  const again = await daxrepro(['replay', run, '--json']);
  t.equal(again.stderr.includes('is neither a directory'), false, again.stderr);
  const replayed = JSON.parse(again.stdout);
  t.same(replayed.tools, result.tools);
  t.same(replayed.replay.context, []);
  t.same(readdirSync(join(again.run(), 'inputs/packages')), ['001-e2fsprogs.cpio']);

  const bundle = join(top, 'run.tar.gz');
  const bundled = await daxrepro(['bundle', run, '--output', bundle]);
  t.equal(bundled.exitCode, 0, bundled.stderr);
  const list = await execa('tar', ['-xOf', bundle, 'inputs/manifest.json', 'result.json']);
  t.match(list.stdout, /"from": "e2fsprogs \([0-9a-f]{12}\)"/);
  t.notMatch(list.stdout, top, 'no path of this machine');
  const other = await daxrepro(['replay', bundle, '--kernel', `image:${bzImage}`, '--json']);
  t.match(JSON.parse(other.stdout).tools, { e2fsprogs: '9.8.7' }, other.stderr);
});

t.test('a tree without a program', async (t) => {
  const tree = makeBuildTree('xfsprogs', join(top, 'trees/incomplete'));
  rmSync(join(tree, 'repair/xfs_repair'));
  for (const argv of [
    ['run', 'xfs', 'generic/002'],
    ['bisect', 'xfs', 'generic/002', '--series', 's.mbox', '--kernel', 'debian:6.1'],
    ['shell', 'xfs', '--run', 'true'],
  ]) {
    const refused = await daxrepro([...argv, '--xfsprogs', tree]);
    t.equal(refused.exitCode, 2, argv.join(' '));
    t.match(refused.stderr, /has no repair\/xfs_repair/);
  }
  const file = join(top, 'case.yaml');
  writeFileSync(
    file,
    'variants: {base: []}\nfilesystems: xfs\ntests: generic/002\nxfsprogs: trees/incomplete\n',
  );
  const inCase = await daxrepro(['compare', file]);
  t.equal(inCase.exitCode, 2);
  t.match(inCase.stderr, /case\.yaml:4:\d+: .*has no repair\/xfs_repair/);
});
