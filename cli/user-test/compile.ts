import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import type { Progress } from '../progress.js';
import { sha256Of } from '../sha256.js';
import { cacheKey, lookUpOrMake, type Store } from '../store/store.js';
import { type Compiler, findCompiler } from '../system/compiler.js';
import type { UserTest } from './user-test.js';

export interface CompileContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** Symbols for backtraces; warnings, which a reproducer's author wants to see. */
const FLAGS = ['-O1', '-g', '-Wall', '-pthread'];

/**
 * Compiles a C file on the host, once for each content, compiler and flags. Headers count, because the
 * preprocessor's output does. Static, so that it needs nothing of the guest, or else with libraries.
 *
 * @returns the program's path; a compile error is a usage error with the compiler's output
 */
export async function compileUserTest(
  { id, file, settings }: UserTest,
  context: CompileContext,
): Promise<Outcome<string>> {
  const compiler = await findCompiler('gcc');
  if (!compiler) {
    return failure(
      'program-missing',
      `${id} is C, and this machine has no C compiler`,
      'Install gcc (Debian: apt-get install gcc libc6-dev)',
    );
  }
  const flags = [...FLAGS, ...(settings.cflags?.split(/\s+/).filter(Boolean) ?? [])];
  const run = (words: string[]) =>
    runTool([compiler.path, ...words], {
      cwd: dirname(file),
      env: { LC_ALL: 'C' },
      ...(context.signal ? { signal: context.signal } : {}),
    });
  const preprocessed = await run([...flags, '-E', file]);
  if (preprocessed.canceled) return interrupted();
  if (!preprocessed.ok) return compileError(id, preprocessed.stderr);
  const key = cacheKey({
    layout: 1,
    source: sha256Of(preprocessed.stdout),
    compiler: compiler.identity,
    flags: flags.join(' '),
  });
  const made = await lookUpOrMake(context.store, 'user-program', key, (directory) =>
    compileInto(directory, { id, file, flags, compiler }, run),
  );
  if (!made.ok) return made;
  const warnings = await readFile(join(made.value, 'warnings'), 'utf8').catch(() => '');
  if (warnings !== '') context.progress({ type: 'note', text: `${compiler.program}: ${warnings}` });
  return success(join(made.value, 'program'));
}

interface Compilation {
  id: string;
  file: string;
  flags: string[];
  compiler: Compiler;
}

async function compileInto(
  directory: string,
  { id, file, flags }: Compilation,
  run: (words: string[]) => ReturnType<typeof runTool>,
): Promise<Outcome<void>> {
  const object = join(directory, 'object.o');
  const program = join(directory, 'program');
  const compiled = await run([...flags, '-c', '-o', object, file]);
  if (compiled.canceled) return interrupted();
  if (!compiled.ok) return compileError(id, compiled.stderr);
  await writeFile(join(directory, 'warnings'), compiled.stderr.trim());
  // Some libraries have no static version.
  for (const how of [['-static'], []]) {
    const linked = await run([...how, '-o', program, object, ...flags]);
    if (linked.canceled) return interrupted();
    if (linked.ok) return success(undefined);
    if (how.length === 0) return compileError(id, linked.stderr);
  }
  return success(undefined);
}

function compileError(id: string, said: string): Outcome<never> {
  return failure(
    'usage',
    `${id} does not compile`,
    'Correct it; `# daxrepro: cflags …` at its top adds words to the compiler command',
    { detail: said.trim().slice(0, 8000) },
  );
}

function interrupted(): Outcome<never> {
  return failure('interrupted', 'Interrupted', 'Start it again');
}
