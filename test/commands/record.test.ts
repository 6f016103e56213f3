import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Step } from '../util/fake-qemu.js';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';
import { recordingRig } from './recording-rig.js';

/** `run --record` and `replay --exact` from the command line, with a fake QEMU. */

const { cache, recording: RUN, daxrepro } = recordingRig(t);

const CORRUPT = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });
const PANIC: Step[] = [
  ...unitSteps().slice(0, 8),
  { console: '[    9.000000] Kernel panic - not syncing: Fatal exception\n' },
  { shutdown: 'guest-reset' },
];

t.test('keeps the record of a failure, and replays it exactly', async (t) => {
  const recorded = await daxrepro(CORRUPT, [...RUN, '--json']);
  t.equal(recorded.exitCode, 1, recorded.stderr);
  const run = recorded.run();
  const [unit] = JSON.parse(recorded.stdout).units;
  t.equal(unit.artifacts.record, '001-ext4-generic-002/record/record.json');
  t.match(unit.replay, / --record$/);
  const about = JSON.parse(readFileSync(join(run, unit.artifacts.record), 'utf8'));
  t.match(about, { verdict: 'fail', execution: { instructions: 123456 } });
  const start = join(run, about.start.directory);
  t.strictSame(readdirSync(start).sort(), ['initramfs', 'kernel', 'memory', 'state']);
  t.notOk(existsSync(join(run, '001-ext4-generic-002/execution')), 'it was moved');

  // The cache may go: the run has everything.
  rmSync(join(cache, 'checkpoint'), { recursive: true });
  const replay = [...['replay', `${run}#1`], '--exact'];
  const same = await daxrepro([], [...replay, '--repeat', '2', '--json']);
  t.equal(same.exitCode, 0, same.stderr);
  t.match(JSON.parse(same.stdout), {
    exact: true,
    unit: { verdict: 'fail', findings: [{ tool: 'e2fsck' }] },
    replays: [{ exact: true, instructions: 123456, differences: { length: 0 } }, { exact: true }],
  });
  t.match(await daxrepro([], replay), {
    stdout: /EXACT +123,456 instructions[\s\S]*1 replay: the same/,
  });

  const changed = async (what: object) => {
    const env = { FAKE_QEMU_REPLAYS: JSON.stringify(what) };
    const { stdout, exitCode } = await daxrepro([], [...replay, '--json'], env);
    const result = JSON.parse(stdout);
    t.strictSame([exitCode, result.exact], [1, false], JSON.stringify(what));
    const [one] = result.replays;
    t.ok(existsSync(join(one.directory, 'console.log')), 'what it did is kept');
    rmSync(one.directory, { recursive: true });
    return one.differences;
  };
  t.match(await changed({ console: 'more\n' }), [{ what: 'console', replayed: 'more' }]);
  const event = { event: 'log', text: 'more' };
  t.match(await changed({ event }), [{ what: 'events', recorded: null }]);
  t.match(await changed({ instructions: 123455 }), [{ what: 'instructions', replayed: 123455 }]);
  t.match(await changed({ dies: true }), [{ what: 'end', why: /QEMU ended/ }, {}]);

  const damaged = async (file: string, message: RegExp) => {
    const copy = join(t.testdir(), 'copy');
    cpSync(run, copy, { recursive: true });
    appendFileSync(join(copy, file), 'x');
    const refused = await daxrepro([], ['replay', `${copy}#1`, '--exact']);
    t.match(refused, { exitCode: 2, stderr: message, stdout: '' }, file);
    t.strictSame(refused.log(), [], 'QEMU is not started');
  };
  const unitFolder = '001-ext4-generic-002';
  await damaged(`${unitFolder}/record/execution`, /The recorded execution has changed/);
  await damaged(`${about.start.directory}/memory`, /The memory that .* has changed/);
  await damaged(`${unitFolder}/record/record.json`, /record\.json of the record cannot be read/);
  const other = { FAKE_QEMU_VERSION: '1.2.3' };
  t.match(await daxrepro([], replay, other), {
    exitCode: 2,
    stderr: /recorded with .*9\.9\.9.*, and .* is QEMU emulator version 1\.2\.3/,
  });
});

t.test('replays what a clone of a mounted guest did', async (t) => {
  const recorded = await daxrepro(CORRUPT, [...RUN, '--repeat', '3', '--jobs', '1', '--json']);
  const { units } = JSON.parse(recorded.stdout);
  const at = units.findIndex((unit: { clonedMounted?: true }) => unit.clonedMounted);
  t.ok(at >= 0, recorded.stderr);
  const replayed = await daxrepro([], ['replay', `${recorded.run()}#${at + 1}`, '--exact']);
  t.match(replayed, { exitCode: 0, stdout: /EXACT/ });
  t.equal(readdirSync(join(recorded.run(), 'starting-points')).length, 1, 'units share it');
});

t.test('replays a panic, and what booted without a checkpoint', async (t) => {
  const recorded = await daxrepro(PANIC, [...RUN, '--no-checkpoint', '--json']);
  t.match(JSON.parse(recorded.stdout).units, [{ verdict: 'fail', ending: 'panic' }]);
  const replayed = await daxrepro([], ['replay', recorded.run(), '--exact']);
  t.match(replayed, { exitCode: 0, stdout: /EXACT/ }, replayed.stderr);
});

t.test('keeps nothing of a unit that passes', async (t) => {
  const { run, exitCode } = await daxrepro(unitSteps(), RUN);
  t.equal(exitCode, 0);
  t.notOk(existsSync(join(run(), 'starting-points')));
  t.notOk(
    readdirSync(join(run(), '001-ext4-generic-002')).some((name) => /record|execution/.test(name)),
  );
  t.match(await daxrepro([], ['replay', `${run()}#1`, '--exact']), {
    exitCode: 2,
    stderr: /ext4 generic\/002 of .* has no record/,
  });
});

t.test('keeps no record that QEMU did not complete', async (t) => {
  const died = await daxrepro(CORRUPT, [...RUN, '--json'], { FAKE_QEMU_QUITS: '1' });
  t.equal(died.exitCode, 1, 'the verdict stands');
  t.match(
    died.stderr,
    /The record of ext4 generic\/002 was not kept: QEMU left no complete record/,
  );
  t.notOk(JSON.parse(died.stdout).units[0].artifacts.record);
});

t.test('boots if the count of instructions is saved in an unknown way', async (t) => {
  rmSync(cache, { recursive: true, force: true });
  const odd = await daxrepro(CORRUPT, [...RUN, '--json'], { FAKE_QEMU_ODD_COUNT: '1' });
  t.match(
    odd.stderr,
    /saves the count of instructions in a way that is not known; booting instead/,
  );
  t.match(JSON.parse(odd.stdout).units, [
    { verdict: 'fail', cloned: false, artifacts: { record: String } },
  ]);
});

t.test('refuses what cannot be recorded', async (t) => {
  const refused = await daxrepro([], [...RUN, '--cpus', '2']);
  t.match(refused, { exitCode: 2, stderr: /--record works with one CPU/ });
  t.match(await daxrepro([], ['replay', '--exact', '--failures']), {
    exitCode: 2,
    stderr: /--exact does not go with --failures/,
  });
});
