import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { makeBzImage } from '../kernel/fixtures.js';
import { ContractRun } from '../util/contract.js';
import { fakeMachine } from '../util/fake-machine.js';
import { readLog, type Step } from '../util/fake-qemu.js';
import { WHOLE_BISECTION } from '../util/kept.js';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';

/** `daxrepro replay` from the command line, with a fake QEMU and a kernel that is only an image. */

const { top, main, bin, bzImage } = fakeMachine(t, { 'a.patch': 'diff' });

let cases = 0;

async function daxrepro(steps: Step[], argv: string[], env: Record<string, string> = {}) {
  cases += 1;
  const place = join(top, 'cases', String(cases));
  mkdirSync(place);
  const script = join(place, 'script.json');
  writeFileSync(script, JSON.stringify(steps));
  const log = join(place, 'qemu.log');
  const own = ['--accel', 'tcg', '--no-checkpoint', '--out', join(place, 'runs')];
  const options = argv[0] === 'bundle' ? [] : own;
  const ran = await execa(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, main, ...argv, ...options],
    {
      env: {
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: join(place, 'home'),
        XDG_CACHE_HOME: join(top, 'cache'),
        XDG_STATE_HOME: join(place, 'state'),
        FAKE_QEMU_SCRIPT: script,
        FAKE_QEMU_LOG: log,
        FAKE_QEMU_VERSION: '9.9.9',
        ...env,
      },
      reject: false,
    },
  );
  const run = () => {
    const [name = ''] = readdirSync(join(place, 'runs'));
    return join(place, 'runs', name);
  };
  const requests = () =>
    readLog(log)
      .map(({ request }) => request)
      .filter((request) => request !== undefined);
  return { ...ran, run, requests };
}

const CORRUPT = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });
const RUN = ['run', 'ext4', 'generic/002', '--kernel', `image:${bzImage}`];

t.test('reports whether a replay agrees, differs or gives no answer', async (t) => {
  const options = ['--timeout', '77', '--mount-opts', 'noatime', '--repeat', '2', '--jobs', '1'];
  const recorded = await daxrepro(CORRUPT, [...RUN, ...options]);
  t.equal(recorded.exitCode, 1, recorded.stderr);
  const run = recorded.run();

  const same = await daxrepro(CORRUPT, ['replay', run, '--json']);
  t.equal(same.exitCode, 0, same.stderr);
  const json = JSON.parse(same.stdout);
  t.ok(ContractRun.safeParse(json).success, 'the document of a run');
  t.match(json.replay, {
    of: run,
    conclusion: 'agrees',
    context: { length: 0 },
    units: [{ conclusion: 'agrees', recorded: { attempts: 2 }, replayed: { attempts: 2 } }],
  });
  const asked = ({ FS, TEST, MOUNT_OPTIONS, TIMEOUT, SEED, ENTROPY }: Record<string, string>) =>
    JSON.stringify({ FS, TEST, MOUNT_OPTIONS, TIMEOUT, SEED, ENTROPY });
  t.strictSame(
    same.requests().map(asked).sort(),
    recorded.requests().map(asked).sort(),
    'guests are asked for the same, seeds and all',
  );

  t.match(await daxrepro(unitSteps(), ['replay', `${run}#2`]), {
    exitCode: 1,
    stdout: /DIFFERS +ext4 generic\/002, memmap, base: recorded fail, now pass[\s\S]*--repeat 20/,
  });
  const none = await daxrepro([{ exit: 1 }], ['replay', `${run}#1`]);
  t.match(none, { exitCode: 3, stdout: /UNKNOWN +ext4/ });
  const often = await daxrepro(CORRUPT, ['replay', `${run}#1`, '--repeat', '3', '--json']);
  t.equal(JSON.parse(often.stdout).units.length, 3);
  t.equal(often.exitCode, 0);

  const other = await daxrepro(CORRUPT, ['replay', run], { FAKE_QEMU_VERSION: '1.2.3' });
  t.equal(other.exitCode, 0);
  t.match(other.stdout, /differs +QEMU: QEMU emulator version 9\.9\.9 -> .*1\.2\.3/);
  t.match(other.stderr, /QEMU was .*9\.9\.9, and is .*1\.2\.3/, 'said before it begins');

  // A replay is a run, and has its own inputs.
  rmSync(run, { recursive: true });
  t.equal((await daxrepro(CORRUPT, ['replay', same.run()])).exitCode, 0);
});

t.test('a replay has the partition and the stack of the run', async (t) => {
  const layers = [
    {
      node: 'dm-0',
      kind: 'device-mapper',
      number: '254:0',
      start: '',
      table: '0 8 linear 259:2 0',
    },
    { node: 'pmem0p1', kind: 'partition', number: '259:2', start: '4096', table: '' },
    { node: 'pmem0', kind: 'disk', number: '259:0', start: '', table: '' },
  ];
  const steps = unitSteps({ proof: { layers } });
  const recorded = await daxrepro(steps, [...RUN, '--partition', '--stack', 'linear', '--json']);
  t.equal(recorded.exitCode, 0, recorded.stderr);
  const [unit] = JSON.parse(recorded.stdout).units;
  t.match(unit, {
    ...{ partition: true, stack: 'linear', replay: / --stack linear --partition$/ },
    dax: { proven: true, looks: [{ layers: [{ node: 'dm-0' }, { start: 4096 }, {}] }, {}] },
  });
  const argvOf = (run: string, { artifacts }: { artifacts: { argv: string } }) =>
    readFileSync(join(run, artifacts.argv), 'utf8');
  const machine = / daxrepro_partition=1 daxrepro_stack=linear\b/;
  t.match(argvOf(recorded.run(), unit), machine);

  const same = await daxrepro(steps, ['replay', recorded.run(), '--json']);
  t.equal(same.exitCode, 0, same.stderr);
  const [again] = JSON.parse(same.stdout).units;
  t.match(again, { partition: true, stack: 'linear' });
  t.match(argvOf(same.run(), again), machine);

  const plain = await daxrepro(unitSteps(), [...RUN, '--stack', 'linear', '--json']);
  t.match(JSON.parse(plain.stdout).units, [
    { verdict: 'invalid', reason: /is not a device of device mapper/, dax: { proven: false } },
  ]);
});

t.test('replays the newest run with inputs by default', async (t) => {
  const recorded = (await daxrepro(CORRUPT, RUN)).run();
  const state = t.testdir({
    daxrepro: {
      runs: {
        '20260101-000000-ext4-a-1': t.fixture('symlink', recorded),
        '20260102-000000-ext4-shell-2': { 'result.json': '{}' },
      },
    },
  });
  const env = { XDG_STATE_HOME: state };
  const said = /taking the newest run, 20260101-000000-ext4-a-1/;
  t.match(await daxrepro(CORRUPT, ['replay'], env), { exitCode: 0, stderr: said });
  const file = join(state, 'x.tar.gz');
  t.match(await daxrepro([], ['bundle', '--output', file], env), { exitCode: 0, stderr: said });
  t.match(await daxrepro([], ['bundle', '#1', '--output', file], env), { stderr: said });
  rmSync(join(state, 'daxrepro/runs/20260101-000000-ext4-a-1'));
  const none = { exitCode: 2, stderr: /There is no run that has kept its inputs in/ };
  t.match(await daxrepro([], ['replay'], env), none);
});

t.test('replays a comparison with a variant that cannot be prepared', async (t) => {
  const patch = join(top, 'a.patch');
  const compare = ['compare', '--variant', `v2=${patch}`, '--fs', 'ext4', '--test', 'generic/002'];
  const recorded = await daxrepro(unitSteps(), [...compare, '--kernel', `image:${bzImage}`]);
  const run = recorded.run();
  const copy = join(run, 'inputs/changes/001-a.patch');
  t.equal(readFileSync(copy, 'utf8'), 'diff');
  writeFileSync(patch, 'another diff');
  const again = await daxrepro(unitSteps(), ['replay', run, '--json']);
  const { replay } = JSON.parse(again.stdout);
  t.match(replay.units, [
    { variant: 'base', conclusion: 'agrees' },
    { variant: 'v2', conclusion: 'agrees', recorded: { verdict: 'error' } },
  ]);
  t.match(replay.notes, [`${patch} has changed since the run: using the copy that the run kept`]);
  t.match(again.stderr, /has changed since/);

  writeFileSync(copy, 'a forgery');
  t.match(await daxrepro([], ['replay', run]), { exitCode: 2, stderr: /SHA-256 differs/ });
  rmSync(copy);
  t.match(await daxrepro([], ['replay', run]), {
    exitCode: 2,
    stderr: /This copy of an input is missing/,
  });
});

t.test('rejects runs that cannot be replayed', async (t) => {
  const run = (await daxrepro(unitSteps(), RUN)).run();
  const manifest = join(run, 'inputs/manifest.json');
  const text = readFileSync(manifest, 'utf8');
  const change = (from: string, to: string) => {
    t.ok(text.includes(from), from);
    writeFileSync(manifest, text.replace(from, to));
  };
  const says = async (words: RegExp, argv: string[] = [run]) =>
    t.match(await daxrepro([], ['replay', ...argv]), { exitCode: 2, stdout: '', stderr: words });
  await says(/no unit 7/, [`${run}#7`]);
  await says(/--repeat "x" is not a number/, [run, '--repeat', 'x']);
  change('"ext4"', '"ext2"');
  await says(/do not contain ext4/);
  change('"timeout": 120', '"timeout": -1');
  await says(/is not a time/);
  change('"files": []', '"files": [{"name": "../../etc/passwd", "sha256": "", "bytes": 1}]');
  await says(/files\.0\.name is not valid/);
  change('"changes": []', '"changes": ["changes/001-x.patch"]');
  await says(/has no hash in the manifest/);
  writeFileSync(manifest, '{');
  await says(/not a manifest of daxrepro/);
  rmSync(manifest);
  await says(/has no inputs\/manifest.json/);
});

t.test('replays a bundle', async (t) => {
  const file = join(top, 'bug.tar.gz');
  const recorded = (await daxrepro(CORRUPT, RUN)).run();
  const bundled = await daxrepro([], ['bundle', recorded, '--output', file, '--json']);
  t.equal(bundled.exitCode, 0, bundled.stderr);
  t.match(JSON.parse(bundled.stdout), { kind: 'run', left: { length: 0 }, bytes: Number });
  rmSync(recorded, { recursive: true });

  t.match(await daxrepro([], ['replay', file]), {
    exitCode: 2,
    stderr:
      /used the kernel "image:bzImage", which is not in this bundle\.\n +Give your own kernel with --kernel/,
  });
  const mine = ['replay', file, '--kernel', `image:${bzImage}`];
  const again = await daxrepro(CORRUPT, [...mine, '--json']);
  t.equal(again.exitCode, 0, again.stderr);
  t.match(JSON.parse(again.stdout).replay, { of: file, conclusion: 'agrees' });
  t.match(await daxrepro(unitSteps(), mine), { exitCode: 1, stdout: /DIFFERS/ });
  t.match(await daxrepro([], ['replay', `${file}#9`]), { exitCode: 2, stderr: /no unit 9/ });

  writeFileSync(file, readFileSync(file).subarray(0, 500));
  t.match(await daxrepro([], mine), { exitCode: 2, stderr: /bundle is not valid.*end of file/ });
  t.match(await daxrepro([], ['bundle', recorded]), { exitCode: 2, stderr: /There is no run/ });
  const wrong = ['bundle', again.run(), '--output', 'x.zip'];
  t.match(await daxrepro([], wrong), { exitCode: 2, stderr: /is not a bundle name/ });
  const nowhere = ['bundle', again.run(), '--output', join(top, 'none/x.tar.gz')];
  t.match(await daxrepro([], nowhere), { exitCode: 3, stderr: /Cannot write/ });
});

t.test('replays a bundle with its kernel', async (t) => {
  const own = join(top, 'its-own-bzImage');
  cpSync(bzImage, own);
  const run = ['run', 'ext4', 'generic/002', '--kernel', `image:${own}`];
  const recorded = (await daxrepro(CORRUPT, run)).run();
  const place = t.testdir();
  const bundle = (name: string) =>
    daxrepro([], ['bundle', recorded, '--with-kernel', '--output', join(place, name)]);
  const [first] = [await bundle('a.tar.gz'), await bundle('b.tar.gz')];
  t.match(first, { exitCode: 0, stdout: /, with 6\.1\.0-test \([\d.]+ [KM]iB unpacked\)/ });
  const file = join(place, 'a.tar.gz');
  t.ok(readFileSync(file).equals(readFileSync(join(place, 'b.tar.gz'))), 'byte by byte');

  rmSync(own);
  rmSync(recorded, { recursive: true });
  const again = await daxrepro(CORRUPT, ['replay', file, '--json']);
  t.equal(again.exitCode, 0, again.stderr);
  t.match(JSON.parse(again.stdout), {
    units: [{ kernel: { release: '6.1.0-test', id: /^[0-9a-f]{32}$/ } }],
    replay: { conclusion: 'agrees', notes: ['using the kernel in the bundle: 6.1.0-test'] },
  });
  const mine = ['replay', file, '--kernel', `image:${bzImage}`, '--json'];
  const other = await daxrepro(CORRUPT, mine);
  t.match(JSON.parse(other.stdout).replay, { conclusion: 'agrees', notes: { length: 0 } });

  // The content decides, not the name.
  writeFileSync(own, makeBzImage('6.1.0-test', Buffer.from('another')));
  const ran = (await daxrepro(CORRUPT, run)).run();
  writeFileSync(own, makeBzImage('6.1.0-test', Buffer.from('a third one')));
  const wrong = await daxrepro([], ['bundle', ran, '--with-kernel', '--output', file]);
  t.match(wrong, { exitCode: 2, stderr: /is now another kernel/ });
});

t.test('replays a bisection', async (t) => {
  const recorded = (await daxrepro(CORRUPT, [...RUN, '--repeat', '2', '--jobs', '1'])).run();
  const place = join(top, 'bisection');
  cpSync(recorded, place, { recursive: true });
  const [first = '', second = ''] = readdirSync(place).filter((name) => /^00/.test(name));
  const keep = (...folders: string[]) => {
    const runs = folders.map((folder) => ({ folders: [folder] }));
    const result = { ...WHOLE_BISECTION, runs };
    writeFileSync(join(place, 'result.json'), JSON.stringify(result));
  };
  keep(first, second);
  const again = await daxrepro(CORRUPT, ['replay', place, '--json']);
  t.equal(again.exitCode, 0, again.stderr);
  t.match(JSON.parse(again.stdout).replay.units, [{ recorded: { attempts: 2 } }]);
  t.match(await daxrepro(unitSteps(), ['replay', `${place}#2`]), { exitCode: 1 });
  t.match(await daxrepro([], ['replay', `${place}#3`]), {
    exitCode: 2,
    stderr: /no unit 3[\s\S]*from 1 to 2/,
  });

  const file = join(top, 'bisection.tar.gz');
  const bundled = await daxrepro([], ['bundle', place, '--output', file, '--json']);
  t.match(JSON.parse(bundled.stdout), { kind: 'bisect' }, bundled.stderr);
  const mine = ['replay', `${file}#2`, '--kernel', `image:${bzImage}`];
  t.match(await daxrepro(CORRUPT, mine), { exitCode: 0 });

  keep(first, '../../evil');
  const evil = await daxrepro([], ['replay', place]);
  t.match(evil, { exitCode: 2, stderr: /not the folder of a unit/ });
});

t.test('replays only one kernel at a time if each was built as a whole', async (t) => {
  const run = (await daxrepro(CORRUPT, [...RUN, 'dax/acl', '--jobs', '1'])).run();
  const file = join(run, 'inputs/manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const [request] = manifest.requests;
  const of = (test: string, kernel: string) => ({ ...request, tests: [test], kernel });
  const requests = [of('generic/002', request.kernel), of('dax/acl', 'src:/linux@c5')];
  writeFileSync(file, JSON.stringify({ ...manifest, requests }));
  for (const more of [[], ['--kernel', request.kernel]]) {
    const all = await daxrepro([], ['replay', run, ...more]);
    t.match(all, { exitCode: 2, stderr: /ran on different kernels[\s\S]*RUN#3/ });
  }
  t.match(await daxrepro(CORRUPT, ['replay', `${run}#1`]), { exitCode: 0 });
});

t.test('rejects a forged result', async (t) => {
  const run = (await daxrepro(unitSteps(), RUN)).run();
  const file = join(run, 'result.json');
  const result = JSON.parse(readFileSync(file, 'utf8'));
  const lie = (unit: object) =>
    writeFileSync(file, JSON.stringify({ ...result, units: [{ ...result.units[0], ...unit }] }));
  lie({ test: 'x\x1b[2J' });
  const evil = await daxrepro([], ['replay', run]);
  t.match(evil, { exitCode: 2, stderr: /do not contain ext4 x\\x1b\[2J/ });
  lie({ verdict: 'fail', reason: 'it \x1b[31mbroke', findings: [] });
  const other = await daxrepro(unitSteps(), ['replay', run]);
  t.match(other, { exitCode: 1, stdout: /DIFFERS/ });
  t.notMatch(other.stdout, /\x1b/);
  lie({ seed: -5 });
  t.match(await daxrepro(unitSteps(), ['replay', run]), { exitCode: 2 });
});
