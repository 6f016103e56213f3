import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Test } from 'tap';
import { fakeMachine } from '../util/fake-machine.js';
import { readLog, type Step } from '../util/fake-qemu.js';

/** Starts the program as a user does, with a fake QEMU that records and replays. */
export function recordingRig(t: Pick<Test, 'testdir'>) {
  const { top, main, bin, bzImage } = fakeMachine(t);
  let cases = 0;
  const place = () => join(top, 'cases', String(cases));

  /** The fake takes the steps of the last call of `daxrepro`, or those of a record. */
  function start(argv: string[], env: Record<string, string> = {}) {
    return execa('env', ['-u', 'NODE_OPTIONS', process.execPath, main, ...argv], {
      env: {
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: join(place(), 'home'),
        XDG_CACHE_HOME: join(top, 'cache'),
        XDG_STATE_HOME: join(place(), 'state'),
        FAKE_QEMU_SCRIPT: join(place(), 'script.json'),
        ...env,
      },
      reject: false,
    });
  }

  async function daxrepro(steps: Step[], argv: string[], env: Record<string, string> = {}) {
    cases += 1;
    mkdirSync(place());
    writeFileSync(join(place(), 'script.json'), JSON.stringify(steps));
    const log = join(place(), 'qemu.log');
    const runs = join(place(), 'state/daxrepro/runs');
    const ran = await start(argv, { FAKE_QEMU_LOG: log, ...env });
    const run = () => join(runs, readdirSync(runs)[0] ?? '');
    return { ...ran, run, log: () => readLog(log) };
  }

  /** A run that is recorded. */
  const recording = ['run', 'ext4', 'generic/002', '--kernel', `image:${bzImage}`, '--record'];
  return { cache: join(top, 'cache/daxrepro'), recording, start, daxrepro };
}
