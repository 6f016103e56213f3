import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { fakeMachine } from '../util/fake-machine.js';
import { unitSteps } from '../util/units.js';

/** `--json` of `compare` and `shell` with a kernel that does not build, with a fake QEMU. */

const { top, main, bin, bzImage } = fakeMachine(t);
const tree = join(top, 'broken');
mkdirSync(tree);
writeFileSync(
  join(tree, 'Makefile'),
  'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n%:\n\t@touch $@.made; exit 1\n',
);
const broken = `src:${tree}`;
const whole = `image:${bzImage}`;
const script = join(top, 'script.json');
writeFileSync(script, JSON.stringify(unitSteps()));

const daxrepro = (...args: string[]) =>
  execa('env', ['-u', 'NODE_OPTIONS', process.execPath, main, ...args], {
    env: {
      PATH: `${bin}:${process.env['PATH']}`,
      HOME: join(top, 'home'),
      XDG_CACHE_HOME: join(top, 'cache'),
      XDG_STATE_HOME: join(top, 'state'),
      FAKE_QEMU_SCRIPT: script,
      FAKE_QEMU_LOG: join(top, 'qemu.log'),
    },
    reject: false,
  });

const CELLS = ['--fs', 'ext4', '--test', 'generic/002', '--accel', 'tcg', '--no-checkpoint'];
const ERROR = { verdict: 'error', reason: /\w/, dax: { proven: false } };

t.test('a comparison without any kernel has a document', async (t) => {
  const two = ['--kernel', broken, '--kernel', `${broken}/.`];
  const { exitCode, stdout, stderr } = await daxrepro('compare', ...two, ...CELLS, '--json');
  t.equal(exitCode, 3, stderr);
  const result = JSON.parse(stdout);
  t.match(result, { verdict: 'error', case: { kernels: [broken, `${broken}/.`] } });
  t.match(result.units, [
    { ...ERROR, kernel: { asked: broken, release: 'unknown' }, expected: null, held: true },
    ERROR,
  ]);
  t.match(stderr, result.units[0].reason, 'the reason is also printed');
  const [run = ''] = readdirSync(join(top, 'state/daxrepro/runs'));
  t.ok(readdirSync(join(top, 'state/daxrepro/runs', run)).includes('result.json'));
});

t.test('of two kernels, the one that builds runs', async (t) => {
  const two = ['--kernel', broken, '--kernel', whole];
  const { exitCode, stdout, stderr } = await daxrepro('compare', ...two, ...CELLS, '--json');
  t.equal(exitCode, 3, stderr);
  t.match(JSON.parse(stdout).units, [
    { ...ERROR, kernel: { asked: broken } },
    { verdict: 'pass', kernel: { asked: whole } },
  ]);
});

t.test('a shell without a kernel has a document', async (t) => {
  const args = ['shell', 'ext4', '--kernel', broken, '--run', 'true', '--json'];
  const { exitCode, stdout, stderr } = await daxrepro(...args);
  t.equal(exitCode, 3, stderr);
  t.match(JSON.parse(stdout), { verdict: 'error', units: [ERROR], shell: { status: null } });
});
