import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { inheritedPath } from '../../cli/guest/machine.js';
import { ContractRun } from '../util/contract.js';
import { fakeMachine } from '../util/fake-machine.js';
import { lives, READY, readLog, type Step } from '../util/fake-qemu.js';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';

/** `daxrepro run` from the command line, with a fake QEMU first in PATH and its own cache. */

const { top, main, bin, bzImage } = fakeMachine(t);

let cases = 0;

/** A run in its own directory. The cache is shared, so that the guest image is made only once. */
function start(steps: Step[], args: string[] = [], booted = ['--no-checkpoint']) {
  cases += 1;
  const place = join(top, 'cases', String(cases));
  mkdirSync(place);
  const script = join(place, 'script.json');
  writeFileSync(script, JSON.stringify(steps));
  const log = join(place, 'qemu.log');
  const child = execa(
    'env',
    [
      ...['-u', 'NODE_OPTIONS', process.execPath, main, 'run', 'ext4', 'generic/002'],
      ...['--kernel', `image:${bzImage}`, '--accel', 'tcg', ...booted, ...args],
    ],
    {
      env: {
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: join(place, 'home'),
        XDG_CACHE_HOME: join(top, 'cache'),
        XDG_STATE_HOME: join(place, 'state'),
        FAKE_QEMU_SCRIPT: script,
        FAKE_QEMU_LOG: log,
      },
      reject: false,
      stripFinalNewline: false,
    },
  );
  return {
    child,
    place,
    log: () => readLog(log),
    /** The run directories that it made in the default place. */
    runs: () => {
      const parent = join(place, 'state/daxrepro/runs');
      return existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
    },
  };
}

/** Waits until it ends, and checks that it left nothing running. */
async function run(t: Test, steps: Step[], args: string[] = [], booted?: string[]) {
  const started = start(steps, args, booted);
  const { exitCode, stdout, stderr } = await started.child;
  t.notOk(
    started.log().some(({ pid }) => lives(pid)),
    'no QEMU is left',
  );
  return { ...started, exitCode, stdout, stderr };
}

/** The only document on stdout. */
const document = (stdout: string) => ContractRun.parse(JSON.parse(stdout));

t.test('explains how to get a QEMU for --power-cut, and starts no guest', async (t) => {
  const { exitCode, stdout, stderr, log } = await run(t, [], ['--power-cut'], []);
  t.equal(exitCode, 2, stderr);
  t.match(stderr, /Power cuts need QEMU 10\.0 or newer, built with plugins;/);
  t.match(stderr, /`daxrepro setup --power-cut` downloads one/);
  t.equal(stdout, '');
  t.ok(
    log().every(({ argv }) => argv?.[0] === '-plugin'),
    'it was asked what it can, and nothing was started',
  );
});

t.test('reports a pass', async (t) => {
  const { exitCode, stdout, stderr, runs, log } = await run(t, unitSteps(), ['--json']);
  t.equal(exitCode, 0, stderr);
  const result = document(stdout);
  t.match(result, {
    verdict: 'pass',
    units: [
      {
        fs: 'ext4',
        test: 'generic/002',
        kernel: { spec: `image:${bzImage}`, release: '6.1.0-test' },
        pmem: 'memmap',
        accel: 'tcg',
        attempt: 1,
        verdict: 'pass',
        dax: { proven: true, driver: 'ext4', statxBefore: true, statxAfter: true },
        findings: { length: 0 },
      },
    ],
  });
  t.equal(result.command[0], 'run');

  const [directory, ...others] = runs();
  t.strictSame(others, []);
  t.strictSame(
    JSON.parse(readFileSync(join(directory as string, 'result.json'), 'utf8')),
    JSON.parse(stdout),
    'the same in a file',
  );
  const artifacts = result.units[0]?.artifacts ?? {};
  const read = (name: string) =>
    readFileSync(join(directory as string, artifacts[name] ?? 'none'), 'utf8');
  t.match(read('console'), /^Linux version 6\.1\.0-test\n/);
  t.match(read('fsck'), /374\/4096 blocks/);
  t.match(read('output'), 'some output');
  t.match(read('events'), /"event":"finished"/);
  const [started, asked] = log();
  t.strictSame(JSON.parse(read('argv')).slice(1), started?.argv, 'the argv that was started');
  t.match(asked?.request, { FS: 'ext4', TEST: 'generic/002', MOUNT_OPTIONS: 'dax=always' });
});

t.test('prints a pass as text', async (t) => {
  const { exitCode, stdout, runs } = await run(t, unitSteps());
  t.equal(exitCode, 0);
  t.match(stdout, /^PASS +ext4 generic\/002/);
  for (const part of [
    '6.1.0-test',
    'ext4, built in',
    'proven by mount option, statx and data of a fresh file',
    runs()[0],
  ]) {
    t.match(stdout, part as string);
  }
  t.notMatch(stdout, /\x1b/, 'no colours where it is no terminal');
});

t.test('reports a failure that only the check found', async (t) => {
  const steps = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 12 } });
  const { exitCode, stdout } = await run(t, steps, ['--json']);
  t.equal(exitCode, 1);
  t.match(document(stdout), {
    verdict: 'fail',
    units: [
      {
        verdict: 'fail',
        dax: { proven: true },
        findings: [{ tool: 'e2fsck', device: '/dev/pmem0', pass: 2, inode: 2, block: 0 }],
      },
    ],
  });
});

t.test('prints a failure as text, with everything from the guest escaped', async (t) => {
  const nasty = 'x\x1b[2J\x07\u202e\nPASS     ext4 generic/002';
  const steps = unitSteps({ test: { status: 1, failures: `first ${nasty}\nsecond\n` } });
  const { exitCode, stdout, stderr } = await run(t, steps);
  t.equal(exitCode, 1);
  t.match(stdout, /^FAIL .*\n +reason +first x\\x1b\[2J\\x07\\u\{202e\}/);
  t.notMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  t.notMatch(stdout, /^PASS/m);
  t.match(stdout, /replay +daxrepro run ext4 generic\/002/);
});

t.test('fails on a kernel warning that arrives before the event of its step', async (t) => {
  const warning = [
    '[    4.000000] daxrepro: load-module',
    '[    4.100000] WARNING: CPU: 0 PID: 77 at fs/dax.c:1 dax_insert_entry+0x1/0x2',
    '[    4.100001] ---[ end trace 0000000000000000 ]---\n',
  ].join('\n');
  const steps = unitSteps();
  const asked = steps.findIndex(({ request }) => request);
  steps.splice(asked + 1, 0, { console: warning }, { sleep: 300 });
  const { exitCode, stdout } = await run(t, steps, ['--json']);
  t.equal(exitCode, 1);
  t.match(document(stdout).units, [{ verdict: 'fail', findings: [{ tool: 'kernel' }] }]);
});

t.test('keeps findings of the boot, and does not count them against the unit', async (t) => {
  const warning =
    '[    1.0] x\n[    1.100000] WARNING: CPU: 0 PID: 1 at arch/x86/x.c:1 f+0x1/0x2\n[    1.100001] ---[ end trace 0 ]---\n';
  const { exitCode, stdout } = await run(
    t,
    [{ console: warning }, { sleep: 200 }, ...unitSteps()],
    ['--json'],
  );
  t.equal(exitCode, 0);
  t.match(JSON.parse(stdout).units, [{ verdict: 'pass', bootFindings: [{ kind: 'warning' }] }]);
});

t.test('reports invalid without DAX, and mentions --control', async (t) => {
  const steps = unitSteps({ proof: { options: 'rw', statxAttributes: '0x0' } });
  const { exitCode, stdout, stderr, log } = await run(t, steps, ['--json', '--pmem', 'none']);
  t.equal(exitCode, 3);
  t.match(document(stdout), { verdict: 'invalid', units: [{ dax: { proven: false } }] });
  t.match(stderr, /--control/);
  for (const device of [0, 1]) t.match(log()[0]?.argv?.join(' '), `file=${inheritedPath(device)}`);

  const control = await run(t, steps, ['--json', '--pmem', 'none', '--control']);
  t.equal(control.exitCode, 0, control.stderr);
  t.match(document(control.stdout), { verdict: 'pass', units: [{ dax: { proven: false } }] });
  t.match(control.log()[1]?.request?.['MOUNT_OPTIONS'], undefined);
});

t.test('reports an error if QEMU does not start', async (t) => {
  const steps = [{ stderr: 'qemu-system-x86_64: cannot set up guest memory\n' }, { exit: 1 }];
  const { exitCode, stdout } = await run(t, steps, ['--json']);
  t.equal(exitCode, 3);
  t.match(document(stdout).units, [{ verdict: 'error', reason: /cannot set up guest memory/ }]);
});

t.test('reports an error if QEMU is killed by SIGTERM or SIGKILL', async (t) => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const { exitCode, stdout } = await run(t, unitSteps({ during: [{ kill: signal }] }), [
      '--json',
    ]);
    t.equal(exitCode, 3);
    t.match(document(stdout).units, [{ verdict: 'error', reason: new RegExp(signal) }]);
  }
});

t.test('reports an error if the guest sends nonsense', async (t) => {
  const steps = unitSteps({ during: [{ channel: '\x1b]0;evil\x07\n' }] });
  const { exitCode, stdout, stderr } = await run(t, steps);
  t.equal(exitCode, 3);
  t.match(stdout, /^ERROR .*\n +reason +the guest sent a line that is not JSON: \\x1b\]0;evil/);
  t.notMatch(stdout + stderr, /\x1b/);
});

t.test('reports a panic as a failure', async (t) => {
  const panic = '[    9.000000] Kernel panic - not syncing: Fatal exception\n';
  const { exitCode, stdout } = await run(
    t,
    unitSteps({ during: [{ console: panic }, { exit: 0 }] }),
    ['--json'],
  );
  t.equal(exitCode, 1);
  t.match(document(stdout).units, [{ verdict: 'fail', reason: /panicked.*Fatal exception/ }]);
});

t.test('reports the same verdicts for clones of a checkpoint', async (t) => {
  const panic = { console: '[    9.000000] Kernel panic - not syncing: Fatal exception\n' };
  const [made, ...others] = [
    { steps: unitSteps(), exit: 0, unit: { verdict: 'pass', dax: { proven: true } } },
    {
      steps: unitSteps({ during: [panic, { exit: 0 }] }),
      exit: 1,
      unit: { verdict: 'fail', reason: /panicked/ },
    },
    {
      steps: unitSteps({ during: [{ kill: 'SIGKILL' }] }),
      exit: 3,
      unit: { verdict: 'error', reason: /SIGKILL/ },
    },
  ] as const;
  for (const { steps, exit, unit } of [made, made, ...others]) {
    const { exitCode, stdout, log } = await run(t, steps, ['--json'], []);
    t.equal(exitCode, exit);
    t.match(document(stdout).units, [unit]);
    const argv = log().findLast(({ argv }) => argv)?.argv;
    t.ok(argv?.includes('-incoming'), 'it was a clone');
    t.notMatch(argv?.join(' '), /share=on/, 'that writes to nothing shared');
  }
});

t.test('stops at Ctrl-C', async (t) => {
  const ways: [NodeJS.Signals, string[]][] = [
    ['SIGINT', ['--json']],
    ['SIGTERM', ['--repeat', '3', '--jobs', '2']],
  ];
  for (const [signal, args] of ways) {
    const started = start(
      [{ deaf: true }, { beat: 50 }, { event: READY }, { request: true }],
      [...args],
    );
    const guests = args.includes('--json') ? 1 : 2;
    while (started.log().filter(({ request }) => request).length < guests) await sleep(20);
    started.child.kill(signal);
    const { exitCode, stdout, stderr } = await started.child;
    t.equal(exitCode, 130);
    t.match(stderr, /interrupted/);
    t.notOk(
      started.log().some(({ pid }) => lives(pid)),
      'nothing runs',
    );
    const file = join(started.runs()[0] as string, 'result.json');
    const result = ContractRun.parse(JSON.parse(readFileSync(file, 'utf8')));
    t.equal(result.units.length, guests);
    t.match(result.units[0], { verdict: 'error', reason: /interrupted/ });
    if (guests === 1) t.strictSame(document(stdout), result);
  }
});

t.test('takes QEMU along if killed by SIGKILL', async (t) => {
  const started = start([{ deaf: true }, { beat: 50 }, { event: READY }, { request: true }]);
  while (started.log().length < 2) await sleep(20);
  started.child.kill('SIGKILL');
  await started.child;
  // QEMU dies as soon as it is scheduled.
  while (lives(started.log()[0]?.pid ?? 0)) await sleep(20);
  t.notOk(
    existsSync(join(started.runs()[0] as string, 'result.json')),
    'and nothing half is there',
  );
});

t.test('starts nothing and leaves nothing in a dry run', async (t) => {
  const { exitCode, stdout, log, runs } = await run(t, [], ['--dry-run', '--pmem', 'nvdimm']);
  t.equal(exitCode, 0);
  t.strictSame(log(), [], 'QEMU was not started');
  t.strictSame(runs(), []);
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${stdout.trim()}`], { encoding: 'utf8' });
  t.match(words, `${join(top, 'bin/qemu-system-x86_64')}\n-nodefaults\n`);
  t.match(words, /nvdimm,id=nvdimm1/);
  t.equal(stdout.trim().split('\n').length, 1);

  const json = await run(t, [], ['--dry-run', '--json']);
  t.match(JSON.parse(json.stdout), [[join(top, 'bin/qemu-system-x86_64')]]);
});

/** A tree that looks like a kernel's, and does not build. */
function brokenTree(name: string): string {
  const tree = join(top, name);
  mkdirSync(tree);
  const makefile = 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n%:\n\t@touch $@.made; exit 1\n';
  writeFileSync(join(tree, 'Makefile'), makefile);
  return tree;
}

t.test('builds no kernel in a dry run', async (t) => {
  const tree = brokenTree('dry');
  const { exitCode, stdout, stderr, log } = await run(
    t,
    [],
    ['--dry-run', '--kernel', `src:${tree}`],
  );
  t.equal(exitCode, 0, stderr);
  t.match(stdout, `-kernel '<kernel of src:${tree}, to be built>'`);
  t.match(stderr, /A dry run does not/);
  t.strictSame(log(), []);
});

t.test('prints a document if the kernel cannot be built', async (t) => {
  const tree = brokenTree('broken');
  const args = ['--kernel', `src:${tree}`, '--repeat', '2', '--json'];
  const { exitCode, stdout, stderr, runs } = await run(t, [], args);
  t.equal(exitCode, 3, stderr);
  const result = document(stdout);
  t.match(result, { verdict: 'error', units: [{ attempt: 1 }, { attempt: 2 }] });
  for (const unit of result.units) {
    t.match(unit, {
      verdict: 'error',
      reason: /\w/,
      kernel: { spec: `src:${tree}`, release: 'unknown' },
      dax: { proven: false },
      artifacts: { failure: /failure\.txt$/ },
    });
    t.match(stderr, unit.reason, 'the reason is also printed');
  }
  const [directory] = runs();
  t.ok(existsSync(join(directory ?? '', 'result.json')));
});

t.test('repeats a test, several guests at a time', async (t) => {
  const steps = unitSteps({ during: [{ sleep: 300 }] });
  const { exitCode, stdout, stderr, log } = await run(t, steps, [
    ...['--repeat', '3', '--jobs', '2', '--json'],
  ]);
  t.equal(exitCode, 0);
  const { units } = document(stdout);
  t.strictSame(
    units.map(({ attempt }) => attempt),
    [1, 2, 3],
    'in their order',
  );
  t.equal(new Set(units.map(({ artifacts }) => artifacts['console'])).size, 3);
  t.equal(new Set(log().map(({ pid }) => pid)).size, 3, 'each has a guest of its own');
  t.match(stderr, /\[3\/3\] pass ext4 generic\/002/);
});

t.test('stops at the first failure with --until-fail, and names the attempt', async (t) => {
  const args = ['--until-fail', '--repeat', '4', '--jobs', '1', '--seed', '7', '--json'];
  const failing = await run(t, unitSteps({ test: { status: 1, failures: 'it is lost' } }), args);
  t.equal(failing.exitCode, 1, failing.stderr);
  document(failing.stdout);
  const failed = JSON.parse(failing.stdout).units;
  t.equal(failed.length, 1);
  t.match(failed[0], { attempt: 1, seed: 7, replay: /--seed 7$/ });

  const passing = await run(t, unitSteps(), args);
  t.equal(passing.exitCode, 0, passing.stderr);
  const { units, repeats } = JSON.parse(passing.stdout);
  t.strictSame(
    units.map(({ seed }: { seed: number }) => seed),
    [7, 8, 9, 10],
  );
  t.match(repeats, [
    { fs: 'ext4', test: 'generic/002', counts: { pass: 4 }, failures: { rate: 0 } },
  ]);
});

t.test('takes the worst verdict of two tests', async (t) => {
  const whole = unitSteps();
  const asked = whole.findIndex(({ request }) => request) + 1;
  const steps: Step[] = [
    ...whole.slice(0, asked),
    {
      byTest: {
        'generic/002': whole.slice(asked),
        'dax/rename': unitSteps({ test: { status: 1, failures: 'lost' } }).slice(asked),
      },
    },
  ];
  const { exitCode, stdout } = await run(t, steps, ['dax/rename', '--json']);
  t.equal(exitCode, 1);
  t.match(document(stdout), {
    verdict: 'fail',
    units: [
      { test: 'generic/002', verdict: 'pass' },
      { test: 'dax/rename', verdict: 'fail', reason: 'lost' },
    ],
  });
});

t.test('gives each of two simultaneous runs its own directory', async (t) => {
  const out = join(top, 'both');
  const both = await Promise.all([
    run(t, unitSteps(), ['--json', '--out', out]),
    run(t, unitSteps(), ['--json', '--out', out]),
  ]);
  for (const { exitCode, stdout } of both) {
    t.equal(exitCode, 0);
    t.match(document(stdout), { verdict: 'pass' });
  }
  t.equal(readdirSync(out).length, 2, 'a directory for each');
});

t.test('reports an output directory that cannot be made', async (t) => {
  const { exitCode, stdout, stderr, log } = await run(t, unitSteps(), ['--out', bzImage, '--json']);
  t.equal(exitCode, 3);
  t.equal(stdout, '');
  t.match(stderr, bzImage);
  t.notOk(
    log().some(({ argv }) => argv),
    'no guest was started for it',
  );
});

t.test('reports a full disk', async (t) => {
  const disk = join(top, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'daxrepro-test', disk], {
      stdio: 'ignore',
    });
  } catch {
    t.pass('a small disk', { skip: 'mounting one needs root' });
    return;
  }
  try {
    const flood: Step = { flood: { bytes: 4 << 20, console: true } };
    const { exitCode, stdout, stderr } = await run(t, unitSteps({ during: [flood] }), [
      ...['--json', '--out', disk],
    ]);
    t.equal(exitCode, 3, stderr);
    const result = document(stdout);
    t.match(result, { verdict: 'error', units: [{ reason: /no space left|ENOSPC/i }] });
    t.match(stderr, /result\.json could not be written/);

    // The test passed, but its result cannot be saved, so this is no pass.
    writeFileSync(join(disk, 'filler'), '');
    execFileSync(
      'sh',
      ['-c', `rm -rf "$1"/2*; dd if=/dev/zero of="$1/filler" bs=4k count=61`, 'sh', disk],
      {
        stdio: 'ignore',
      },
    );
    const nearly = await run(t, unitSteps(), ['--json', '--out', disk]);
    t.equal(nearly.exitCode, 3, nearly.stderr);
  } finally {
    execFileSync('umount', [disk]);
  }
});

t.test('rejects wrong usage at once, and prints nothing on stdout', async (t) => {
  for (const [args, said] of [
    [['--size', '12Q'], /"12Q" is not a size.*\n.*256M/],
    [['genric/002'], /"genric\/002".*\n.*generic\/002/],
    [['--nonsense'], /nonsense/],
  ] as const) {
    const { exitCode, stdout, stderr, log, runs } = await run(t, unitSteps(), [...args, '--json']);
    t.equal(exitCode, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, said);
    t.strictSame([log(), runs()], [[], []]);
  }
  const { exitCode, stderr } = await run(t, [], ['--kernel', 'image:/nonexistent', '--json']);
  t.equal(exitCode, 2);
  t.match(stderr, /There is no kernel image \/nonexistent/);
});
