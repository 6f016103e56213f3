import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { findImpossible } from '../../cli/compare/impossible.js';
import type { RunRequest } from '../../cli/plan/unit.js';
import { defaultStore } from '../../cli/store/store.js';
import { BASE } from '../../cli/variant/variant.js';
import { fakeMachine } from '../util/fake-machine.js';
import type { Step } from '../util/fake-qemu.js';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';

/** `daxrepro compare` of several kernels, with a fake QEMU. The kernels are images, which have no sources. */

const { top, main, bin, bzImage } = fakeMachine(t, { 'a.patch': 'diff' });
const other = join(top, 'other-bzImage');
copyFileSync(bzImage, other);
const [old, young] = [`image:${bzImage}`, `image:${other}`];
const TWO = ['--kernel', old, '--kernel', young];
const CELLS = ['--fs', 'ext4', '--test', 'generic/002'];

let places = 0;

async function daxrepro(args: string[], steps: Step[] = unitSteps()) {
  places += 1;
  const place = join(top, 'places', String(places));
  mkdirSync(place, { recursive: true });
  const script = join(place, 'script.json');
  writeFileSync(script, JSON.stringify(steps));
  const child = await execa('env', ['-u', 'NODE_OPTIONS', process.execPath, main, ...args], {
    cwd: top,
    env: {
      PATH: `${bin}:${process.env['PATH']}`,
      HOME: join(top, 'home'),
      XDG_CACHE_HOME: join(top, 'cache'),
      XDG_STATE_HOME: join(top, 'state'),
      COLUMNS: '100',
      FAKE_QEMU_SCRIPT: script,
      FAKE_QEMU_LOG: join(place, 'qemu.log'),
    },
    reject: false,
  });
  return child;
}

const compare = (args: string[], steps?: Step[]) =>
  daxrepro(['compare', '--accel', 'tcg', '--no-checkpoint', ...args], steps);

const newestRun = () => readdirSync(join(top, 'state/daxrepro/runs')).sort().at(-1) ?? '';

t.test('runs each kernel, and names it in every unit', async (t) => {
  const { exitCode, stdout, stderr } = await compare([...TWO, ...CELLS, '--json']);
  t.equal(exitCode, 0, stderr);
  const result = JSON.parse(stdout);
  t.match(result.case, { kernel: old, kernels: [old, young], variants: [{ name: 'base' }] });
  t.match(result.units, [
    { kernel: { spec: old, asked: old }, verdict: 'pass' },
    { kernel: { spec: young, asked: young }, verdict: 'pass' },
  ]);
  t.equal(result.units.length, 2);
  t.match(result.units[1].replay, `--kernel ${young}`);
  t.strictSame(result.differences, []);

  const run = newestRun();
  const again = await daxrepro(['replay', run, '--accel', 'tcg', '--no-checkpoint', '--json']);
  t.equal(again.exitCode, 0, again.stderr);
  const replayed = JSON.parse(again.stdout);
  t.match(replayed.replay, {
    conclusion: 'agrees',
    units: [{ kernel: old }, { kernel: young }],
  });
  t.strictSame(
    replayed.units.map(({ kernel }: { kernel: { asked: string } }) => kernel.asked),
    [old, young],
  );
  const one = await daxrepro(['replay', `${run}#2`, '--accel', 'tcg', '--no-checkpoint', '--json']);
  t.match(JSON.parse(one.stdout).units, [{ kernel: { asked: young } }]);
  t.equal(JSON.parse(one.stdout).units.length, 1);
  const wrong = await daxrepro(['replay', run, '--kernel', old]);
  t.match(wrong, { exitCode: 2, stderr: /would replace all kernels/ });

  const bundle = join(top, 'two.tar.gz');
  const packed = await daxrepro(['bundle', run, '--with-kernel', '--output', bundle, '--json']);
  t.equal(packed.exitCode, 0, packed.stderr);
  const from = ['replay', bundle, '--accel', 'tcg', '--no-checkpoint', '--json'];
  const unpacked = await daxrepro(from);
  t.equal(unpacked.exitCode, 0, unpacked.stderr);
  t.match(JSON.parse(unpacked.stdout).replay.conclusion, 'agrees');

  const diff = await daxrepro(['diff', run, run, '--json']);
  t.match(JSON.parse(diff.stdout), { counts: { same: 2 }, conclusion: 'same' });
});

t.test('a variant that does not apply is an error in its columns, and the rest runs', async (t) => {
  const v2 = ['--variant', `v2=${join(top, 'a.patch')}`];
  const { exitCode, stdout, stderr } = await compare([...TWO, ...CELLS, ...v2]);
  t.equal(exitCode, 3, stderr);
  t.match(stdout, /ext4\n {2}generic\/002 {2}pass\s+error\s+pass\s+error/);
  t.match(stdout, /no sources|sources to change/);
  t.match(stdout, /Compared with base on the same kernel/);
});

t.test('expectations name kernels', async (t) => {
  const file = join(top, 'case.yaml');
  const write = (cells: string, kernels = `[${old}, ${young}]`) =>
    writeFileSync(
      file,
      `kernel: ${kernels}\nvariants: {base: []}\nfilesystems: ext4\ntests: generic/002\nexpect: {default: pass, cells: [${cells}]}\n`,
    );
  const corrupt = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });
  write(`{kernel: "${young}", verdict: fail}`);
  const { exitCode, stdout, stderr } = await compare([file, '--json'], corrupt);
  t.equal(exitCode, 1, stderr);
  t.match(
    JSON.parse(stdout).units.map(({ held }: { held: boolean }) => held),
    [false, true],
  );
  const alone = await compare([file, '--kernel', young, '--json'], corrupt);
  t.equal(alone.exitCode, 0, alone.stderr);
  t.match(JSON.parse(alone.stdout).units, [{ held: true, expected: { verdict: 'fail' } }]);
  write('{kernel: debian:5.10, verdict: fail}');
  t.match(await compare([file]), {
    exitCode: 2,
    stderr: /case\.yaml:5:\d+: .*no kernel "debian:5\.10"/,
  });
  write('{verdict: fail}', `[${old}, ${old}]`);
  t.match(await compare([file]), { exitCode: 2, stderr: /listed twice/ });
  write('{verdict: fail}', '[debian:6.1, nonsense:1]');
  t.match(await compare([file]), { exitCode: 2, stderr: /case\.yaml:1:22: / });
});

t.test('refuses kernels that are given twice or that are none', async (t) => {
  const twice = await compare(['--kernel', old, '--kernel', old, ...CELLS]);
  t.match(twice, { exitCode: 2, stderr: /given twice/ });
  const none = await compare(['--kernel', old, '--kernel', 'image:/nowhere', ...CELLS]);
  t.match(none, { exitCode: 2, stderr: /nowhere/ });
  const alone = await compare(['--kernel', old, ...CELLS]);
  t.match(alone, { exitCode: 2, stderr: /nothing to compare[\s\S]*several kernels/ });
});

t.test('of several kernels, those on which a cell cannot work are known before', async (t) => {
  const context = { store: defaultStore(), progress: () => {} };
  const request = (kernel: string, fs = 'ext2') =>
    ({
      fs,
      kernel,
      askedKernel: kernel,
      pmem: 'memmap',
      control: false,
      variant: BASE,
    }) as RunRequest;
  const [first, second] = [request('debian:6.1'), request('debian:7.2')];
  const found = await findImpossible([first, second], 'tcg', context);
  if (!found.ok) throw new Error(found.failure.message);
  t.match(found.value(first), { ok: true });
  t.match(found.value(second), {
    ok: false,
    failure: { message: /ext2 has no DAX on debian:7\.2/ },
  });
  const all = await findImpossible([second, request('debian:7.3')], 'tcg', context);
  t.match(all, { ok: false, failure: { kind: 'usage' } }, 'nothing is left to run');
  t.match(await findImpossible([first, request('nonsense:1')], 'tcg', context), {
    ok: false,
    failure: { kind: 'usage', message: /nonsense/ },
  });
});
