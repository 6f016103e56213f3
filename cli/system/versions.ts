import { runTool } from '../process/child.js';
import { findProgram, systemPath } from './programs.js';

/** Which versions of the programs are here, as they say it themselves. */

export interface Tool {
  name: string;
  path: string;
  /** undefined where it does not say, or does not start. */
  version: string | undefined;
}

/** Programs whose version matters to a result or to a bug report, and how to ask for it. */
const QUESTIONS: readonly (readonly [program: string, option: string])[] = [
  ['qemu-system-x86_64', '--version'],
  ['e2fsck', '-V'],
  ['mkfs.xfs', '-V'],
  ['ndctl', '--version'],
  ['modprobe', '--version'],
  ['setpriv', '--version'],
  ['bsdtar', '--version'],
  ['xz', '--version'],
  ['zstd', '--version'],
  ['dpkg-deb', '--version'],
  ['apt-get', '--version'],
  ['make', '--version'],
  ['gcc', '--version'],
  ['ld', '--version'],
  ['spatch', '--version'],
];

/** Those that are there. */
export async function toolVersions(path: string = systemPath()): Promise<Tool[]> {
  const found = QUESTIONS.map(([name, option]) => ({
    name,
    option,
    path: findProgram(name, path),
  }));
  return Promise.all(
    found.flatMap(({ name, option, path: file }) =>
      file === undefined ? [] : [askVersion(name, file, option)],
    ),
  );
}

async function askVersion(name: string, path: string, option: string): Promise<Tool> {
  const env = { LC_ALL: 'C' };
  const { ok, all } = await runTool([path, option], { env, timeout: 10_000 });
  return { name, path, version: ok ? findVersion(all) : undefined };
}

/** The first number with a dot in it, or where there is none the first number: `7.2.22`, `30`. */
export function findVersion(text: string): string | undefined {
  // What stands in parentheses is the packager's.
  const plain = text.replaceAll(/\([^)]*\)/g, '');
  const [version] =
    plain.match(/(?<![\w.-])v?\d+(?:\.\d+)+[\w~-]*/) ?? plain.match(/(?<![\w.-])\d+\b/) ?? [];
  return version?.replace(/^v/, '');
}
