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
 * Applies one semantic patch to a tree by Coccinelle's spatch. By itself spatch parses only files
 * in which the patch's identifiers occur, so all directories can be given.
 */

/** @returns the paths that it changed */
export async function applySemanticPatch(
  step: SemanticStep,
  { tree, scratch, release, signal }: PatchTarget,
): Promise<Outcome<string[]>> {
  // A copy: what is applied is what the cache knows it by, though the user may be editing it. And
  // what it includes is not found there, rather than being used without the cache's knowledge.
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
  // It goes on, and exits with 0, after a file that it could not transform.
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
    `${step.name} matches nothing in ${release}, below ${directories.join(', ')}`,
    `Run spatch --sp-file ${step.name} on the file that it is meant for, and see which of its rules does not match`,
    { place: { file: step.file }, ...(said ? { detail: said } : {}) },
  );
}

function spatchFailed({ file, name }: SemanticStep, said: string, summary: string) {
  // Its lines count from 1, its columns from 0.
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

/** Without its talk about its own standard.h. */
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

/** Changes when spatch is updated; no program has to run for it. */
export async function spatchIdentity(): Promise<string> {
  const file = findProgram('spatch');
  if (file === undefined) return 'none';
  const { size, mtimeMs } = await stat(file);
  return `${file} ${size} ${mtimeMs}`;
}
