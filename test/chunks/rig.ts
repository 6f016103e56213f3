import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { execa } from 'execa';
import type { Test } from 'tap';
import { commandLine } from '../../cli/command-line/program.js';
import { namesIn } from '../../cli/names-in.js';
import type { RunResult } from '../../cli/results/run-result.js';
import { captured } from '../util/captured.js';
import { fakeMachine } from '../util/fake-machine.js';
import { lives, readLog, type Step } from '../util/fake-qemu.js';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';

/** Planned runs on a fake machine: the real program, with a fake QEMU. */

export const CORRUPT = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });

/** Tests of the built-in suite. */
export const TESTS = ['generic/002', 'dax/rename', 'dax/symlinks', 'dax/xattr'] as const;

/** What guests do, by the test that they are asked to run. The others pass. */
export function guests(byTest: Record<string, Step[]>): Step[] {
  const passes = unitSteps();
  const begin = passes.findIndex(({ request }) => request) + 1;
  const steps = TESTS.map((test) => [test, (byTest[test] ?? passes).slice(begin)]);
  return [...passes.slice(0, begin), { byTest: Object.fromEntries(steps) }];
}

export interface Ended {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

export class Rig {
  readonly top: string;
  readonly main: string;
  readonly bin: string;
  readonly bzImage: string;
  readonly log: string;
  #count = 0;

  constructor(t: Pick<Test, 'testdir'>, steps: Step[] = unitSteps()) {
    const { top, main, bin, bzImage } = fakeMachine(t, { 'a.patch': 'diff' });
    [this.top, this.main, this.bin, this.bzImage] = [top, main, bin, bzImage];
    this.log = join(top, 'qemu.log');
    Object.assign(process.env, this.env());
    this.behave(steps);
  }

  /** What guests do from now on. */
  behave(steps: Step[]): void {
    writeFileSync(join(this.top, 'script.json'), JSON.stringify(steps));
  }

  env(more: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: `${this.bin}:${process.env['PATH']}`,
      HOME: join(this.top, 'home'),
      XDG_CACHE_HOME: join(this.top, 'cache'),
      XDG_STATE_HOME: join(this.top, 'state'),
      NODE_OPTIONS: '',
      FAKE_QEMU_SCRIPT: join(this.top, 'script.json'),
      FAKE_QEMU_LOG: this.log,
      ...more,
    };
  }

  start(words: readonly string[], env: Record<string, string> = {}, main = this.main) {
    return execa(process.execPath, [main, ...words], {
      ...{ env: this.env(env), extendEnv: true, reject: false, cwd: this.top },
    });
  }

  /** Runs a command in this process, which is much faster than another one. */
  async run(words: readonly string[]): Promise<Ended> {
    const { argv } = process;
    process.argv = [...argv.slice(0, 2), ...words];
    const ended = await captured(async () => {
      try {
        await commandLine('0.1.0').parseAsync([...words], { from: 'user' });
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        process.exitCode = 2;
      }
      return Number(process.exitCode ?? 0);
    });
    process.argv = argv;
    process.exitCode = 0;
    return { exitCode: ended.code, stdout: ended.stdout, stderr: ended.stderr };
  }

  /** The options of every run here. */
  get options(): string[] {
    return ['--kernel', `image:${this.bzImage}`, '--accel', 'tcg', '--no-checkpoint'];
  }

  directory(): string {
    this.#count += 1;
    return join(this.top, `plan-${this.#count}`);
  }

  /**
   * Plans with no durations known, since chunks would otherwise depend on how fast this machine is.
   *
   * @returns the directory of the plan
   */
  async plan(words: readonly string[], ...more: string[]): Promise<{ directory: string } & Ended> {
    const directory = this.directory();
    const references = join(this.top, 'cache/daxrepro/references');
    for (const name of namesIn(references).filter((one) => one.startsWith('durations-'))) {
      rmSync(join(references, name));
    }
    const ended = await this.run([
      ...['plan', ...words, ...this.options, '--into', directory, ...more],
    ]);
    return { directory, ...ended };
  }

  async collect(directory: string): Promise<{ result: RunResult } & Ended> {
    const ended = await this.run(['collect', directory, '--json']);
    return { result: JSON.parse(ended.stdout || 'null') as RunResult, ...ended };
  }

  /** Guests that are still running. */
  get left(): number[] {
    return readLog(this.log)
      .map(({ pid }) => pid)
      .filter(lives);
  }

  caseFile(text: string): string {
    const file = join(this.top, 'case.yaml');
    writeFileSync(file, text);
    return file;
  }

  /** Programs for a machine that has little else. @returns its PATH */
  pathOf(programs: Record<string, string>): string {
    this.#count += 1;
    const directory = join(this.top, `bin-${this.#count}`);
    mkdirSync(directory);
    for (const [name, target] of Object.entries(programs)) {
      writeFileSync(join(directory, name), `#!/bin/sh\nexec ${target} "$@"\n`, { mode: 0o755 });
    }
    return directory;
  }
}

/** The folders of units that have ended. */
export function unitFolders(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => /^\d{3,}-/.test(name))
    .sort();
}

export function readDocument<Value>(...path: string[]): Value {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as Value;
}

/** What must not depend on where and when units ran. */
export function comparable({ units, verdict, command, tools }: RunResult) {
  return {
    ...{ verdict, command, tools },
    units: units.map(
      ({ durationSeconds: _, bootSeconds: __, machine: ___, cpu: ____, seed: _____, ...unit }) =>
        unit,
    ),
  };
}
