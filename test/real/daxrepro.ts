import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { capableQemu } from '../../cli/power-cut/qemu.js';
import type { RunResult } from '../../cli/results/run-result.js';
import { defaultStore } from '../../cli/store/store.js';

/**
 * Runs `./daxrepro` as a user does, in real guests on the packaged kernel. These tests take minutes
 * and use the user's cache: otherwise each would fetch a kernel.
 */

export const LAUNCHER = fileURLToPath(new URL('../../daxrepro', import.meta.url));

export interface Ran {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

export async function daxrepro(words: readonly string[], out: string): Promise<Ran> {
  const { exitCode, stdout, stderr } = await execa(LAUNCHER, [...words, '--out', out], {
    reject: false,
    stdin: 'ignore',
  });
  return { exitCode, stdout, stderr };
}

/** A run with `--json`; throws if it printed none. */
export async function runJson(
  words: readonly string[],
  out: string,
): Promise<Ran & { result: RunResult }> {
  const ran = await daxrepro(['run', ...words, '--json'], out);
  try {
    return { ...ran, result: JSON.parse(ran.stdout) as RunResult };
  } catch {
    throw new Error(`no JSON with exit code ${ran.exitCode}: ${ran.stdout}\n${ran.stderr}`);
  }
}

/** Describes a wrong unit in a test's message. */
export function describe({ units }: RunResult): string {
  return units.map(({ test, verdict, reason }) => `${test} ${verdict}: ${reason}`).join('; ');
}

/** Why this machine's guests cannot have their power cut, for `skip`; false if they can. */
export async function cannotCut(): Promise<string | false> {
  const qemu = await capableQemu(defaultStore());
  return qemu.ok ? false : `${qemu.failure.message}: ${qemu.failure.remedy}`;
}
