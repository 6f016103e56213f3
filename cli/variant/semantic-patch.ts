import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RECIPES } from '../kernel/recipes.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { findProgram } from '../system/programs.js';
import type { SemanticStep } from './changes.js';
import type { PatchTarget } from './patch.js';
import { checkUnparsed } from './unparsed.js';

/**
 * Applies one semantic patch to a tree with Coccinelle's spatch. spatch parses only files that
 * contain the patch's identifiers, so it can be given all directories.
 */

/** @returns the changed paths */
export async function applySemanticPatch(
  step: SemanticStep,
  { tree, scratch, release, signal }: PatchTarget,
): Promise<Outcome<string[]>> {
  // A copy, so that spatch applies exactly what the cache key describes, even while the user edits
  // the file. It also keeps spatch from including other files, which the cache would not know.
  const copy = join(scratch, 'semantic.cocci');
  await writeFile(copy, step.content);
  const before = await readCode(tree);
  const result = await runTool(
    [
      'spatch',
      '--very-quiet',
      '--no-show-diff',
      '--in-place',
      '--include-headers',
      '--sp-file',
      copy,
      '--dir',
      'fs',
    ],
    { cwd: tree, env: { LC_ALL: 'C' }, ...(signal ? { signal } : {}) },
  );
  if (result.canceled) {
    return failure('interrupted', `Interrupted while applying ${step.name}`, 'Start it again');
  }
  // spatch goes on after a file that it could not transform, and exits with 0.
  const said = usefulLines(result.all).replaceAll(copy, step.name);
  if (!result.ok || /^(EXN|ERROR)\b/m.test(said)) return spatchFailed(step, said, result.summary);
  const changed: string[] = [];
  const after = await readCode(tree);
  for (const [path, content] of after) {
    if (!before.get(path)?.equals(content)) changed.push(path);
  }
  if (changed.length > 0) {
    const whole = await checkUnparsed(step, after, { tree, signal });
    return whole.ok ? success(changed) : whole;
  }
  const directories = Object.values(RECIPES).map(({ subdirectory }) => subdirectory);
  return failure(
    'change-rejected',
    `${step.name} has no match in ${release}, in ${directories.join(', ')}`,
    `Run spatch --sp-file ${step.name} on the file that it should change, and see which of its rules does not match`,
    { place: { file: step.file }, ...(said ? { detail: said } : {}) },
  );
}

function spatchFailed({ file, name }: SemanticStep, said: string, summary: string) {
  // spatch counts lines from 1 and columns from 0.
  const at = said.match(/\bline (\d+)(?:, column (\d+))?/);
  const place = {
    file,
    ...(at?.[1] ? { line: Number(at[1]) } : {}),
    ...(at?.[2] ? { column: Number(at[2]) + 1 } : {}),
  };
  return failure(
    'unreadable',
    `spatch cannot apply ${name}`,
    'Correct the semantic patch; `spatch --parse-cocci` checks it without sources',
    { place, detail: said || summary },
  );
}

/** Without remarks about spatch's own standard.h. */
function usefulLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(init_defs|Warning: PARSING|HANDLING)/.test(line))
    .join('\n');
}

async function readCode(tree: string): Promise<Map<string, Buffer>> {
  const files = await readdir(tree, { recursive: true, withFileTypes: true });
  const contents = new Map<string, Buffer>();
  for (const file of files) {
    if (!file.isFile() || !/\.[ch]$/.test(file.name)) continue;
    const path = join(file.parentPath, file.name);
    contents.set(path.slice(tree.length + 1), await readFile(path));
  }
  return contents;
}

/** Changes when spatch is updated. Runs no program. */
export async function spatchIdentity(): Promise<string> {
  const file = findProgram('spatch');
  if (file === undefined) return 'none';
  const { size, mtimeMs } = await stat(file);
  return `${file} ${size} ${mtimeMs}`;
}
