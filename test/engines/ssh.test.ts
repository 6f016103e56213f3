import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { RunResult } from '../../cli/results/run-result.js';
import { findProgram } from '../../cli/system/programs.js';
import { CORRUPT, comparable, guests, Rig, TESTS } from '../chunks/rig.js';
import { lives, readLog } from '../util/fake-qemu.js';
import { unitSteps } from '../util/units.js';
import { noSshd, Sshd } from './sshd.js';

/** `--on ssh:` with a real sshd on loopback, two logins, and GNU parallel. The QEMU is a fake. */

const skip = noSshd() ?? false;

t.test('ssh', { skip }, async (t) => {
  const behaviour = guests({ 'dax/rename': CORRUPT });
  const rig = new Rig(t, behaviour);
  const sshd = await Sshd.start(join(rig.top, 'sshd'), ['n1', 'n2'], rig.env());
  t.teardown(() => sshd.stop());
  const ssh = findProgram('ssh', '/usr/bin:/bin:/usr/local/bin') ?? 'ssh';
  const wrapper = `#!/bin/sh\nexec ${ssh} -F ${sshd.config} "$@"\n`;
  writeFileSync(join(rig.bin, 'ssh'), wrapper, { mode: 0o755 });
  const RUN = ['run', 'ext4', ...TESTS, '--seed', '7', ...rig.options];
  const directoryOf = (out: string) => join(out, readdirSync(out)[0] ?? '');

  await t.test('two logins make the run that one machine makes', async (t) => {
    const one = JSON.parse((await rig.run([...RUN, '--json'])).stdout) as RunResult;
    const out = rig.directory();
    const ran = await rig.start([...RUN, '--json', '--on', 'ssh:n1:1,n2:1', '--out', out]);
    t.equal(ran.exitCode, 1, ran.stderr);
    const spread = JSON.parse(ran.stdout) as RunResult;
    const plain = (result: RunResult) => ({ ...comparable(result), command: [] });
    t.strictSame(plain(spread), plain(one));
    t.ok(spread.units.every(({ machine }) => machine?.qemu.includes('9.9.9 (fake)')));
    t.match(ran.stderr, /4 chunks handed to ssh/);
    const hosts = new Set(
      readdirSync(join(directoryOf(out), 'ssh'))
        .filter((name) => name.endsWith('.joblog'))
        .flatMap((name) => readFileSync(join(directoryOf(out), 'ssh', name), 'utf8').split('\n'))
        .map((line) => line.split('\t')[1])
        .filter((host) => host?.startsWith('n')),
    );
    t.strictSame([...hosts].sort(), ['n1', 'n2'], 'both were used');
    t.strictSame(rig.left, []);
  });

  await t.test('a chunk whose process is killed runs again', async (t) => {
    rig.behave(unitSteps({ during: [{ sleep: 3000 }] }));
    const out = rig.directory();
    const before = readLog(rig.log).length;
    const running = rig.start([
      ...RUN.slice(0, 3),
      ...rig.options,
      '--json',
      '--on',
      'ssh:n1:1,n2:1',
      '--out',
      out,
    ]);
    const started = () =>
      readLog(rig.log)
        .slice(before)
        .find(({ request }) => request);
    while (!started()) await sleep(50);
    const parent = parentOf(started()?.pid ?? 0);
    process.kill(parent, 'SIGKILL');
    const { exitCode, stdout, stderr } = await running;
    t.equal(exitCode, 0, stderr);
    t.match(JSON.parse(stdout).units, [{ verdict: 'pass' }]);
    t.match(stderr, /1 chunk ended without all results: starting again, not on n\d/);
    t.strictSame(rig.left, []);
  });

  await t.test('Ctrl-C without a terminal cancels, and what is missing is an error', async (t) => {
    rig.behave(unitSteps({ during: [{ sleep: 60_000 }] }));
    const out = rig.directory();
    const before = readLog(rig.log).length;
    const running = rig.start([...RUN, '--json', '--on', 'ssh:n1:1,n2:1', '--out', out]);
    const guest = () =>
      readLog(rig.log)
        .slice(before)
        .find(({ request }) => request);
    while (!guest()) await sleep(50);
    running.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running;
    t.equal(exitCode, 130, stderr);
    t.match(stderr, /to see the results later: daxrepro collect \S+ --wait/);
    const { units } = JSON.parse(stdout) as RunResult;
    t.equal(units.length, 4);
    t.ok(units.every(({ verdict }) => verdict === 'error'));
    while (readLog(rig.log).some(({ pid }) => lives(pid))) await sleep(100);
    rig.behave(behaviour);
    const directory = directoryOf(out);
    const rerun = await rig.run(['plan', '--rerun', directory]);
    t.match(rerun.stdout, /4 units in 1 chunk/);
    const again = await rig.run(['collect', directory, '--wait']);
    t.match(again, { exitCode: 2, stderr: /No engine runs the chunks/ });
  });
});

/** The process that started a guest: daxrepro. */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
