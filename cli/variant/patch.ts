import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNotBuilt, NOT_BUILT_PATTERNS } from '../kernel/tree-parts.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { PatchStep } from './changes.js';
import { git, gitMissing } from './git.js';

/** Applies one patch to a tree with `git apply`, which applies all of a patch or none of it. */

export interface PatchTarget {
  /** A copy of the sources: holds `fs/ext2` and so on. */
  tree: string;
  /** A directory beside it for temporary files. */
  scratch: string;
  /** For messages: `6.1.0-56-amd64`. */
  release: string;
  /** What to do if it does not apply. */
  remedy?: string;
  /** Whether to apply it to paths that no build of a kernel reads, too. */
  whole?: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * The paths that a patch touches, with both names of renamed files, but without paths that no build
 * of a kernel reads.
 *
 * @param scratch a directory for a temporary file
 * @param whole whether to name those as well
 */
export async function pathsOf(
  step: PatchStep,
  scratch: string,
  signal?: AbortSignal,
  whole = false,
): Promise<Outcome<string[]>> {
  const file = join(scratch, 'patch');
  await writeFile(file, step.text);
  const listed = await git(['apply', '--numstat', '-z', '-p1', file], scratch, signal);
  if (listed.canceled) return interrupted(step);
  if (!listed.ok) return unreadable(step, listed.exitCode, listed.all.replaceAll(`${file}:`, ''));
  const paths = listed.stdout
    .split('\0')
    .map((line) => line.split('\t')[2] ?? '')
    .filter((path) => path !== '');
  // git lists a renamed file only by its new name.
  for (const [, path = ''] of step.text.toString('latin1').matchAll(/^rename from (.+)$/gm)) {
    paths.push(path);
  }
  const leaving = paths.filter((path) => path.startsWith('/') || path.split('/').includes('..'));
  if (leaving.length > 0) {
    return failure(
      'unreadable',
      `${step.label} names files outside the source tree: ${leaving.join(', ')}`,
      'Give a patch with paths relative to the top of the sources, with one leading part to strip (-p1)',
      { place: { file: step.file } },
    );
  }
  return success([...new Set(paths)].filter((path) => whole || !isNotBuilt(path)));
}

/** @returns the changed paths */
export async function applyPatch(step: PatchStep, target: PatchTarget): Promise<Outcome<string[]>> {
  const { tree, scratch, signal, whole = false } = target;
  const paths = await pathsOf(step, scratch, signal, whole);
  if (!paths.ok) return paths;
  const file = join(scratch, 'patch');
  const apply = ['apply', '-p1', '--whitespace=nowarn'];
  for (const pattern of whole ? [] : NOT_BUILT_PATTERNS) apply.push(`--exclude=${pattern}`);
  const applied = await git([...apply, file], tree, signal);
  if (applied.canceled) return interrupted(step);
  if (applied.ok) return paths;
  const undone = await git([...apply, '--check', '--reverse', file], tree, signal);
  if (undone.ok)
    return doesNotApply(step, target, `${whole ? 'it' : 'this kernel'} already has it`, '');
  // The partly patched tree is discarded.
  const partly = await git([...apply, '--reject', file], tree, signal);
  return doesNotApply(step, target, await rejects(tree), partly.stderr || partly.all);
}

/** Reads the rejected hunks from git's .rej files. */
async function rejects(tree: string): Promise<{ hunks: string[]; text: string }> {
  const names = await readdir(tree, { recursive: true });
  const hunks: string[] = [];
  let text = '';
  for (const name of names.filter((one) => one.endsWith('.rej')).sort()) {
    const content = await readFile(join(tree, name), 'utf8');
    for (const [header] of content.matchAll(/^@@ .*$/gm)) {
      hunks.push(`${name.slice(0, -'.rej'.length)}: ${header}`);
    }
    text += content;
  }
  return { hunks, text };
}

const REBASE =
  "Rebase it onto this kernel's source, or write a semantic patch (.cocci), which fits many versions";

function doesNotApply(
  { file, label }: PatchStep,
  { release, remedy = REBASE }: PatchTarget,
  why: string | { hunks: string[]; text: string },
  said: string,
) {
  const errors = said
    .split('\n')
    .filter((line) => line.startsWith('error: ') && !line.startsWith('error: while searching'))
    .map((line) => line.slice('error: '.length));
  const reason =
    typeof why === 'string'
      ? why
      : why.hunks.length > 0
        ? `no place fits ${why.hunks.join(', ')}`
        : (errors[0] ?? 'git apply does not say why');
  const detail = typeof why === 'string' ? '' : why.text || errors.join('\n');
  return failure('change-rejected', `${label} does not apply to ${release}: ${reason}`, remedy, {
    place: { file },
    ...(detail ? { detail } : {}),
  });
}

function unreadable({ file, label }: PatchStep, exitCode: number | undefined, said: string) {
  if (exitCode === 127) return gitMissing();
  const isEmpty = /No valid patches|unrecognized input/.test(said);
  return failure(
    'unreadable',
    isEmpty ? `${label} contains no patch` : `${label} is broken`,
    isEmpty
      ? 'Give a unified diff, a mailbox or a semantic patch (.cocci)'
      : 'Create the patch again',
    { place: { file }, ...(isEmpty ? {} : { detail: said }) },
  );
}

function interrupted({ label }: PatchStep) {
  return failure('interrupted', `Interrupted while applying ${label}`, 'Start it again');
}
