import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { fakeMachine } from '../util/fake-machine.js';
import { lives, readLog, type Step } from '../util/fake-qemu.js';
import { Terminal } from '../util/terminal.js';
import { unitSteps } from '../util/units.js';

/** `daxrepro shell` from the command line, with a fake QEMU, on its own terminal. */

const { top, main, bin, bzImage } = fakeMachine(t);

let cases = 0;

function place(steps: Step[], more: string[]) {
  cases += 1;
  const directory = join(top, 'cases', String(cases));
  mkdirSync(directory);
  writeFileSync(join(directory, 'script.json'), JSON.stringify(steps));
  const log = join(directory, 'qemu.log');
  const argv = [
    ...[process.execPath, main, 'shell', 'ext4', '--kernel', `image:${bzImage}`, '--accel', 'tcg'],
    ...['--no-checkpoint', '--out', join(directory, 'out'), ...more],
  ];
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: join(directory, 'home'),
    XDG_CACHE_HOME: join(top, 'cache'),
    FAKE_QEMU_SCRIPT: join(directory, 'script.json'),
    FAKE_QEMU_LOG: log,
  };
  return { directory, argv, env, log: () => readLog(log) };
}

/** A complete session of a guest in which this happens. */
function session(during: Step[], more: Parameters<typeof unitSteps>[0] = {}): Step[] {
  const told = { event: { event: 'symbols', module: 'ext4', sections: '', kernelText: '' } };
  return unitSteps({ ...more, during: [told, ...during] });
}

const ends = (status: number): Step[] => [
  { frame: ['x', `\0\0\0${String.fromCharCode(status)}`] },
  { event: { event: 'shell', status } },
];

function onTerminal(t: Test, steps: Step[], more: string[] = []) {
  const started = place(steps, more);
  const terminal = new Terminal(started.argv, { directory: started.directory, env: started.env });
  t.teardown(() => terminal.close());
  /** Checks that the terminal is restored, and that no QEMU is left. */
  const isClean = async () => {
    const code = await terminal.exit;
    t.equal(terminal.settings('after'), terminal.settings('before'), 'the terminal is as it was');
    t.notOk(
      started.log().some(({ pid }) => lives(pid)),
      'no QEMU is left',
    );
    return code;
  };
  return { terminal, isClean, ...started };
}

t.test('runs a session, and reports its verdict', async (t) => {
  const { terminal, isClean, log, directory } = onTerminal(
    t,
    session([
      { frame: ['b'] },
      { frame: ['o', 'the prompt # '] },
      { typed: 'd\0\0\0\x05ls \x03\r' },
      { frame: ['o', 'line\r\nbelow\n'] },
      { typed: 's\0\0\0\x04\0\x28\0\x78' },
      ...ends(0),
    ]),
  );
  await terminal.see('the prompt # ');
  const [banner = ''] = /^kernel .*the prompt/ms.exec(terminal.screen) ?? [];
  t.match(banner, /DAX {6}proven by mount option and statx of a fresh file/);
  t.match(terminal.now(), /-isig.*-icanon|-icanon.*-isig/s, 'keys are not ours');
  t.match(terminal.now(), /-opost/, 'nothing is added to what the guest writes');
  terminal.type('ls \x03\r');
  await terminal.see('line\r\nbelow\n');
  terminal.resize(40, 120);
  await terminal.see(/PASS {5}ext4 shell/);
  t.equal(await isClean(), 0);
  const { request } = log().find((line) => line.request) ?? {};
  t.match(request, { SESSION: 'terminal', TERM: 'xterm', ROWS: '33', COLUMNS: '101' });
  const [run = ''] = readdirSync(join(directory, 'out'));
  const text = readFileSync(join(directory, 'out', run, 'result.json'), 'utf8');
  t.match(JSON.parse(text), { shell: { status: 0 }, units: [{ test: 'shell', verdict: 'pass' }] });
});

t.test('restores the terminal, however the session ends', async (t) => {
  const editor: Step[] = [{ frame: ['b'] }, { frame: ['o', '\x1b[?1049h\x1b[?25lan editor'] }];
  const restored = /\x1b\[\?1049l\x1b\[\?25h/;

  t.test('after a panic', async (t) => {
    const oops = '[ 5.0] Kernel panic - not syncing: sysrq triggered crash\n';
    const { terminal, isClean } = onTerminal(
      t,
      session([...editor, { console: oops }, { exit: 0 }]),
    );
    await terminal.see('an editor');
    await terminal.see(restored);
    await terminal.see(/FAIL {5}ext4 shell/);
    t.equal(await isClean(), 1);
  });

  t.test('after the keys that end the session', async (t) => {
    const { terminal, isClean } = onTerminal(t, session([...editor, { sleep: 100_000 }]));
    await terminal.see('an editor');
    terminal.type('\x1d\x1d\x1d');
    await terminal.see(restored);
    await terminal.see('there is no verdict');
    t.equal(await isClean(), 130);
  });

  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    t.test(`after ${signal}`, async (t) => {
      const { terminal, isClean, log } = onTerminal(t, session([...editor, { sleep: 100_000 }]));
      await terminal.see('an editor');
      const status = readFileSync(`/proc/${log()[0]?.pid}/status`, 'utf8');
      process.kill(Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]), signal);
      await terminal.see(restored);
      t.equal(await isClean(), 130);
    });
  }

  t.test('after an invalid frame from the guest', async (t) => {
    const { terminal, isClean } = onTerminal(
      t,
      session([...editor, { typed: 'go' }, { frame: ['o', 'x'.repeat(70_000)] }, { sleep: 9999 }]),
    );
    await terminal.see('an editor');
    terminal.type('go');
    await terminal.see(restored);
    t.equal(await isClean(), 130);
  });

  t.test('after Ctrl-C before the guest starts', async (t) => {
    const { terminal, isClean, log } = onTerminal(t, [{ beat: 50 }, { sleep: 100_000 }]);
    while (log().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    terminal.type('\x03');
    t.equal(await isClean(), 130);
  });
});

async function command(steps: Step[], more: string[], input = '') {
  const started = place(steps, more);
  const ran = await execa('env', ['-u', 'NODE_OPTIONS', ...started.argv], {
    env: started.env,
    input,
    reject: false,
    stripFinalNewline: false,
  });
  return { ...started, ...ran };
}

t.test('connects the streams of a command, and returns its exit code', async (t) => {
  const steps = (status: number, test: Record<string, unknown>): Step[] =>
    session(
      [
        { frame: ['b'] },
        { typed: 'd\0\0\0\x05inpute\0\0\0\0' },
        { frame: ['o', 'out\n'] },
        { frame: ['r', 'err\n'] },
        ...ends(status),
      ],
      { test },
    );
  const failed = { status: 1, failures: 'the command ended with exit code 7' };
  const ran = await command(steps(7, failed), ['--run', 'some\nthing'], 'input');
  t.match(ran, { exitCode: 1, stdout: /^out\n$/, stderr: /^err\n[\s\S]*FAIL {5}ext4 shell/ });
  const { request } = ran.log().find((line) => line.request) ?? {};
  t.equal(Buffer.from(request?.['COMMAND'] ?? '', 'hex').toString(), 'some\nthing');

  const good = await command(steps(0, {}), ['--run', 'true', '--json'], 'input');
  t.equal(good.exitCode, 0);
  t.match(good.stderr, /out\nerr\n/);
  t.match(JSON.parse(good.stdout), { verdict: 'pass', shell: { status: 0 } });
});

t.test('does not pass a session that broke', async (t) => {
  const broke = { status: 127, reason: 'the session broke: no terminal' };
  const ran = await command(session([{ event: { event: 'shell' } }], { test: broke }), [
    ...['--run', 'true', '--json'],
  ]);
  t.equal(ran.exitCode, 3);
  t.match(JSON.parse(ran.stdout), { verdict: 'error', shell: { status: null } });
});

t.test('reports a mount without DAX at once, as invalid', async (t) => {
  const proof = { options: 'rw,relatime', statxAttributes: '0x0' };
  const { terminal, isClean } = onTerminal(t, session([{ frame: ['b'] }, ...ends(0)], { proof }));
  await terminal.see(/DAX {6}NOT PROVEN: .*DAX is not among the mount options/);
  await terminal.see(/INVALID {2}ext4 shell/);
  t.equal(await isClean(), 3);
});

t.test('rejects wrong usage', async (t) => {
  for (const [words, message] of [
    [[], /needs a terminal/],
    [['--run', 'true', '--gdb-wait'], /--gdb-wait without --gdb/],
    [['--run', ''], /no command/],
    [['--run', 'true', '--gdb', 'xfs'], /neither a port nor a path/],
    [['--json'], /--json without --run/],
    [['--from', 'nowhere', '--run', 'true'], /There is no run nowhere/],
  ] as const) {
    const ran = await command([], [...words]);
    t.match(ran, { exitCode: 2, stdout: /^$/, stderr: message }, words.join(' '));
  }
});
