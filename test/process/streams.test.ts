import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t from 'tap';
import { fakeMachine } from '../util/fake-machine.js';
import { READY, readLog, type Step } from '../util/fake-qemu.js';
import { Terminal } from '../util/terminal.js';

// The reader of our output goes away.
const { top, main, bin, bzImage } = fakeMachine(t);
const RUN = ['run', 'ext4', 'generic/002', '--kernel', `image:${bzImage}`, '--accel', 'tcg'];

function place(name: string, steps: Step[]) {
  const directory = join(top, 'cases', name);
  mkdirSync(directory);
  const script = join(directory, 'script.json');
  writeFileSync(script, JSON.stringify(steps));
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: join(directory, 'home'),
    XDG_CACHE_HOME: join(top, 'cache'),
    XDG_STATE_HOME: join(directory, 'state'),
    FAKE_QEMU_SCRIPT: script,
    FAKE_QEMU_LOG: join(directory, 'qemu.log'),
  };
  return { directory, env, log: () => readLog(env.FAKE_QEMU_LOG) };
}

t.test('interrupts the run and keeps known results when the terminal closes', async (t) => {
  const { directory, env, log } = place('terminal', [
    ...[{ beat: 50 }, { event: READY }, { request: true } as const],
  ]);
  const status = join(directory, 'status');
  const words = [process.execPath, main, ...RUN, '--no-checkpoint', '--out', directory];
  const line = `trap : HUP; ${words.join(' ')}; echo $? >${status}.part; mv ${status}.part ${status}`;
  const terminal = new Terminal(['sh', '-c', line], { directory, env });
  t.teardown(() => terminal.close());
  while (!log().some(({ request }) => request)) await sleep(20);
  terminal.close();
  while (!existsSync(status)) await sleep(20);
  t.equal(readFileSync(status, 'utf8'), '130\n');
  const kept = readdirSync(directory).filter((name) =>
    existsSync(join(directory, name, 'result.json')),
  );
  t.equal(kept.length, 1);
});

t.test('exits with an error if the pipe closes before there is a verdict', async (t) => {
  const { directory, env } = place('pipe', [{ beat: 50 }, { exit: 1 }]);
  const script = `"$@" | true; echo "\${PIPESTATUS[0]}"`;
  const words = [process.execPath, main, ...RUN, '--no-checkpoint', '--out', directory];
  const { stdout } = await execa('bash', ['-c', script, 'bash', ...words], { env });
  t.match(stdout.trim(), /^(?:3|141)$/);
  const list = await execa('bash', ['-c', script, 'bash', process.execPath, main, 'list'], { env });
  t.equal(list.stdout.trim(), '0', 'exits with success if no verdict was needed');
  t.equal(list.stderr, '');
});
