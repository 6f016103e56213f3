import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { RunResult } from '../../cli/results/run-result.js';
import { CORRUPT, comparable, guests, Rig, TESTS } from '../chunks/rig.js';
import { lives, readLog } from '../util/fake-qemu.js';
import { unitSteps } from '../util/units.js';
import { noSlurm, SlurmCluster } from './slurm.js';

/** `--on slurm` with real daemons on loopback: a controller, and three nodes. The QEMU is a fake. */

/** Minutes even on a quiet machine: nodes have to die, and a controller to notice. */
const skip =
  noSlurm() ??
  (process.env['DAXREPRO_TEST_SLURM'] ? false : 'it takes minutes: set DAXREPRO_TEST_SLURM=1');

t.test('slurm', { skip }, async (t) => {
  const behaviour = guests({ 'dax/rename': CORRUPT });
  const rig = new Rig(t, behaviour);
  const cluster = await SlurmCluster.start(join(rig.top, 'slurm'), ['n1', 'n2', 'n3']);
  t.teardown(() => cluster.stop());
  const RUN = ['run', 'ext4', ...TESTS, '--seed', '7', ...rig.options];
  const ONE = [...RUN.slice(0, 3), ...rig.options];
  const directoryOf = (out: string) => join(out, readdirSync(out)[0] ?? '');

  /** Starts a run, and waits until a guest of it runs a test. */
  async function begin(words: readonly string[], on = 'slurm:nodes=3') {
    const out = rig.directory();
    const before = readLog(rig.log).length;
    const running = rig.start([...words, '--json', '--on', on, '--out', out], cluster.env);
    const requests = () =>
      readLog(rig.log)
        .slice(before)
        .filter(({ request }) => request);
    return { out, running, requests };
  }
  const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(50);
  };
  const document = ({ stdout }: { stdout?: string | undefined }) =>
    JSON.parse(stdout || 'null') as RunResult;
  const nodeOf = (out: string) => {
    const notes = join(directoryOf(out), 'machines');
    const [name = ''] = readdirSync(notes);
    return JSON.parse(readFileSync(join(notes, name), 'utf8')).machine.host as string;
  };

  await t.test('three nodes make the run that one machine makes', async (t) => {
    const one = JSON.parse((await rig.run([...RUN, '--json'])).stdout) as RunResult;
    const { running } = await begin(RUN);
    const ran = await running;
    t.equal(ran.exitCode, 1, ran.stderr);
    const plain = (result: RunResult) => ({ ...comparable(result), command: [] });
    t.strictSame(plain(document(ran)), plain(one));
    const nodes = new Set(document(ran).units.map(({ machine }) => machine?.host));
    t.ok(
      [...nodes].every((node) => /^n[123]$/.test(node ?? '')),
      [...nodes].join(),
    );
  });

  await t.test('scancel: the chunk runs again', async (t) => {
    rig.behave(unitSteps({ during: [{ sleep: 2000 }] }));
    const { running, requests } = await begin(ONE);
    await until(() => requests().length > 0);
    await cluster.command('scancel', '--user=root');
    const ran = await running;
    t.equal(ran.exitCode, 0, ran.stderr);
    t.match(document(ran).units, [{ verdict: 'pass' }]);
    t.match(ran.stderr, /1 chunk ended without all results: starting again/);
  });

  await t.test('the controller is killed and started again', async (t) => {
    const { running, requests } = await begin(ONE);
    await until(() => requests().length > 0);
    await cluster.kill('slurmctld');
    await sleep(1000);
    cluster.startController();
    const ran = await running;
    t.equal(ran.exitCode, 0, ran.stderr);
    t.match(document(ran).units, [{ verdict: 'pass' }]);
    await cluster.idle();
  });

  await t.test('a node dies with its job: another node runs the chunk', async (t) => {
    rig.behave(unitSteps({ during: [{ sleep: 2500 }] }));
    const { out, running, requests } = await begin(ONE);
    await until(() => requests().length > 0);
    const node = nodeOf(out);
    const guest = requests()[0]?.pid ?? 0;
    await cluster.kill(node);
    process.kill(parentOf(guest), 'SIGKILL');
    const ran = await running;
    t.equal(ran.exitCode, 0, ran.stderr);
    const [unit] = document(ran).units;
    t.equal(unit?.verdict, 'pass');
    t.not(unit?.machine?.host, node);
    cluster.startNode(node);
    await cluster.idle();
  });

  await t.test('tasks that do nothing: after three attempts the unit is an error', async (t) => {
    rig.behave(unitSteps({ during: [{ sleep: 200 }] }));
    const out = rig.directory();
    // Slurm may say that a job completed that never ran.
    const scratch = rig.pathOf({ node: '/bin/true' });
    const env = { ...cluster.env, PATH: `${scratch}:${rig.env()['PATH']}` };
    const ran = await rig.start([...ONE, '--json', '--on', 'slurm', '--out', out], env);
    t.equal(ran.exitCode, 3, ran.stderr);
    t.match(document(ran).units, [
      { verdict: 'error', reason: /the unit has no result: no machine started chunk 1/ },
    ]);
    t.equal(ran.stderr.match(/starting again/g)?.length, 2);
    const directory = directoryOf(out);
    await rig.run(['plan', '--rerun', directory]);
    const chunk = await rig.start(['chunk', directory, '1']);
    t.equal(chunk.exitCode, 0, chunk.stderr);
    const { result } = await rig.collect(directory);
    t.match(result.units, [{ verdict: 'pass' }]);
  });

  await t.test('another process goes on watching', async (t) => {
    rig.behave(unitSteps({ during: [{ sleep: 2000 }] }));
    const { out, running, requests } = await begin(ONE);
    await until(() => requests().length > 0);
    running.kill('SIGKILL');
    await running;
    const env = { ...cluster.env };
    const ran = await rig.start(['collect', directoryOf(out), '--wait', '--json'], env);
    t.equal(ran.exitCode, 0, ran.stderr);
    t.match(document(ran).units, [{ verdict: 'pass' }]);
    t.notOk(
      readLog(rig.log).some(({ pid }) => lives(pid)),
      'no guest is left',
    );
  });
});

/** The process that started a guest: daxrepro. */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
