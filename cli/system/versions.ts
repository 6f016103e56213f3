import { runTool } from '../process/child.js';
import { findProgram, systemPath } from './programs.js';

/** The versions of the installed programs, by their own output. */

export interface Tool {
  name: string;
  path: string;
  /** undefined if it prints none or does not start. */
  version: string | undefined;
}

/** Programs whose version matters for a result or a bug report, with the option that prints it. */
const QUESTIONS: readonly (readonly [program: string, option: string])[] = [
  ['qemu-system-x86_64', '--version'],
  ['e2fsck', '-V'],
  ['mkfs.xfs', '-V'],
  ['ndctl', '--version'],
  ['cxl', '--version'],
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

/** Only programs that are installed. */
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

/** The first number with a dot, or else the first number: `7.2.22`, `30`. */
export function findVersion(text: string): string | undefined {
  // Text in parentheses is the packager's.
  const plain = text.replaceAll(/\([^)]*\)/g, '');
  const [version] =
    plain.match(/(?<![\w.-])v?\d+(?:\.\d+)+[\w~-]*/) ?? plain.match(/(?<![\w.-])\d+\b/) ?? [];
  return version?.replace(/^v/, '');
}
