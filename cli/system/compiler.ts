import { access, constants, readdir, realpath, stat } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { findProgram } from './programs.js';

/** A C compiler on this machine. */
export interface Compiler {
  /** Its name as a command: `gcc-12`. */
  program: string;
  path: string;
  /** Changes when the compiler is updated. Runs no program. */
  identity: string;
}

/**
 * The compiler that built the kernel if this machine has it, else the closest version of the same
 * family, else plain `gcc`. Modules and image may come from different compiler versions, but the
 * closer they are, the more options they share.
 *
 * @param wanted `gcc-12`
 * @param path directories to look in, as in $PATH
 */
export async function findCompiler(
  wanted: string,
  path = process.env['PATH'] ?? '',
): Promise<Compiler | undefined> {
  // A compiler named by its path must be that one.
  if (isAbsolute(wanted)) {
    const named = await namedCompiler(wanted);
    return named.ok ? named.value : undefined;
  }
  const [family = 'gcc', version] = wanted.split('-');
  const found = new Map<string, string>();
  for (const directory of path.split(delimiter).filter((part) => part !== '')) {
    for (const name of await readdir(directory).catch(() => [])) {
      const fits = name === 'gcc' || (name.startsWith(family) && /^[a-z]+(-\d+)?$/.test(name));
      const file = join(directory, name);
      if (!fits || found.has(name)) continue;
      if (
        await access(file, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        found.set(name, file);
    }
  }
  const program = closest([...found.keys()], family, Number(version));
  const file = program === undefined ? undefined : found.get(program);
  if (program === undefined || file === undefined) return undefined;
  return describe(program, file);
}

/**
 * Whether this machine has the compiler or a newer one of its family: an older one lacks options that a kernel's
 * configuration relies on.
 *
 * @param wanted `gcc-16`
 */
export async function compilerSuffices(wanted: string): Promise<boolean> {
  const [family, version] = wanted.split('-');
  const found = await findCompiler(wanted);
  if (found === undefined || version === undefined) return found !== undefined;
  const [name, own] = found.program.split('-');
  if (name === family && own !== undefined) return Number(own) >= Number(version);
  const { ok, stdout } = await runTool([found.path, '-dumpversion'], { timeout: 10_000 });
  return ok && Number.parseInt(stdout, 10) >= Number(version);
}

/**
 * The compiler that `--cc` names.
 *
 * @param name a path, or a program in $PATH: `gcc-9`
 */
export async function namedCompiler(name: string): Promise<Outcome<Compiler>> {
  const file = name.includes('/') ? name : findProgram(name);
  const executable =
    file !== undefined &&
    (await access(file, constants.X_OK).then(
      async () => (await stat(file)).isFile(),
      () => false,
    ));
  if (executable) return success(await describe(basename(name), file));
  return failure(
    'usage',
    name.includes('/') ? `There is no compiler ${name}` : `There is no program ${name} in PATH`,
    'Give --cc the name of a compiler, such as gcc-12, or its path',
  );
}

async function describe(program: string, file: string): Promise<Compiler> {
  const real = await realpath(file);
  const { size, mtimeMs } = await stat(real);
  return { program, path: file, identity: `${program} ${real} ${size} ${mtimeMs}` };
}

/**
 * If two are equally close, takes the newer: it knows every option that the kernel was built with.
 */
function closest(names: readonly string[], family: string, version: number): string | undefined {
  const distance = (name: string) => Math.abs(Number(name.split('-')[1]) - version);
  const numbered = names
    .filter((name) => name.startsWith(`${family}-`) && !Number.isNaN(distance(name)))
    .sort((a, b) => distance(a) - distance(b) || Number(b.split('-')[1]) - Number(a.split('-')[1]));
  return (
    numbered[0] ?? names.find((name) => name === family) ?? names.find((name) => name === 'gcc')
  );
}
