import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { tail, tool } from '../process/tool.js';
import type { Progress } from '../progress.js';
import { sha256Of } from '../sha256.js';
import { cacheKey, lookUpOrMake, placesOf, type Store, storageFailure } from '../store/store.js';
import { OVERLAY_FILE, type Overlay, type SuiteChange } from '../suite/xfstests/overlay.js';
import { needsBuild, testOf } from '../suite/xfstests/paths.js';
import type { Tree } from '../suite/xfstests/tree.js';
import { type PatchStep, stepsOf } from '../variant/changes.js';
import { applyPatch } from '../variant/patch.js';
import { numbered } from '../words.js';
import { updateGroups } from './groups.js';

/** Makes a copy of an xfstests tree with changes, once for each state of the tree and of the changes. */

export interface OverlayContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** A file of the user's; `path`: in the tree. */
export type ChangedFile =
  | { type: 'patch'; file: string }
  | { type: 'file'; path: string; file: string };

interface ReadChange {
  change: ChangedFile;
  /** Where its content is now. */
  source: string;
  content: Buffer;
}

/** Parts of a tree that nothing here needs. */
const LEFT_OUT = ['.git', 'results'];

/**
 * @param from the directory that the changes' paths are relative to
 * @returns the copy's directory; a patch that does not apply is a usage error with file and hunk
 */
export async function makeOverlay(
  tree: Tree,
  changes: readonly ChangedFile[],
  context: OverlayContext,
  from = '/',
): Promise<Outcome<string>> {
  const read = await readChanges(changes, from);
  if (!read.ok) return read;
  const stamps = await stampsOf(tree.directory);
  if (!stamps.ok) return stamps;
  const key = cacheKey({
    layout: 1,
    tree: tree.directory,
    stamps: stamps.value,
    changes: JSON.stringify(read.value.map(({ change, content }) => [change, sha256Of(content)])),
  });
  const { entry } = placesOf(context.store, KIND, key);
  const overlay = overlayOf(tree, read.value, join(entry, 'changes'));
  const made = await lookUpOrMake(context.store, KIND, key, async (directory) => {
    const copied = await makeIn(directory, tree, read.value, context);
    if (!copied.ok) return copied;
    const text = `${JSON.stringify(overlay, null, 2)}\n`;
    await writeFile(join(directory, 'tree', OVERLAY_FILE), text);
    return success(undefined);
  });
  return made.ok ? success(join(made.value, 'tree')) : made;
}

const KIND = 'xfstests-overlay';

function overlayOf({ directory }: Tree, read: readonly ReadChange[], kept: string): Overlay {
  const changes = read.map(
    ({ change }, index): SuiteChange => ({ ...change, kept: join(kept, keptName(change, index)) }),
  );
  return { of: directory, changes };
}

function keptName({ file }: ChangedFile, index: number): string {
  return `${numbered(index)}-${basename(file)}`;
}

async function readChanges(
  changes: readonly ChangedFile[],
  from: string,
): Promise<Outcome<ReadChange[]>> {
  const read: ReadChange[] = [];
  for (const change of changes) {
    const source = resolve(from, change.file);
    try {
      read.push({ change, source, content: await readFile(source) });
    } catch (error) {
      const { message } = error as Error;
      return failure('unreadable', `It cannot be read: ${message}`, 'Give a patch or a mailbox', {
        place: { file: source },
      });
    }
  }
  return success(read);
}

/** A hash of what changes with any file of the tree. */
async function stampsOf(tree: string): Promise<Outcome<string>> {
  const hash = createHash('sha256');
  const walk = async (path: string): Promise<void> => {
    for (const entry of (await readdir(join(tree, path), { withFileTypes: true })).sort(byName)) {
      if (path === '' && LEFT_OUT.includes(entry.name)) continue;
      const name = join(path, entry.name);
      if (entry.isDirectory()) await walk(name);
      else if (entry.isFile()) {
        const { size, mtimeMs, mode } = await stat(join(tree, name));
        hash.update(`${name}\0${size} ${mtimeMs} ${mode}\n`);
      }
    }
  };
  try {
    await walk('');
    return success(hash.digest('hex'));
  } catch (error) {
    const { message } = error as Error;
    return failure(
      'unreadable',
      `The xfstests tree cannot be read: ${message}`,
      'Make it readable',
      {
        place: { file: tree },
      },
    );
  }
}

function byName({ name: a }: { name: string }, { name: b }: { name: string }): number {
  return a < b ? -1 : 1;
}

async function makeIn(
  directory: string,
  tree: Tree,
  read: readonly ReadChange[],
  context: OverlayContext,
): Promise<Outcome<void>> {
  const copy = join(directory, 'tree');
  const copied = await copyTree(tree.directory, copy, context);
  if (!copied.ok) return copied;
  const touched = new Set<string>();
  try {
    await mkdir(join(directory, 'changes'));
    for (const [index, { change, source, content }] of read.entries()) {
      await writeFile(join(directory, 'changes', keptName(change, index)), content);
      const paths =
        change.type === 'patch'
          ? await applyTo(copy, directory, { file: source, content }, context)
          : await addFile(copy, change.path, content);
      if (!paths.ok) return paths;
      for (const path of paths.value) touched.add(path);
    }
    const built = await buildIn(copy, [...touched], context);
    if (!built.ok) return built;
    const ids = [...touched].map(testOf).filter((id) => id !== undefined);
    // `check` executes them.
    for (const id of ids) await chmod(join(copy, 'tests', id), 0o755).catch(() => {});
    await updateGroups(copy, [...new Set(ids)]);
    return success(undefined);
  } catch (error) {
    return storageFailure(copy, error);
  }
}

async function copyTree(
  from: string,
  to: string,
  { progress, signal }: OverlayContext,
): Promise<Outcome<unknown>> {
  progress({ type: 'stage', text: `copying the xfstests tree in ${from} to change the copy` });
  await mkdir(to);
  const names = (await readdir(from)).filter((name) => !LEFT_OUT.includes(name));
  return tool(
    ['cp', '-a', '--reflink=auto', '--', ...names.map((name) => join(from, name)), to],
    { cannot: `Cannot copy the xfstests tree in ${from}`, remedy: 'Make all of it readable' },
    signal ? { signal } : {},
  );
}

async function applyTo(
  tree: string,
  scratch: string,
  file: { file: string; content: Buffer },
  { signal }: OverlayContext,
): Promise<Outcome<string[]>> {
  if (file.file.endsWith('.cocci')) {
    return failure('usage', 'A semantic patch cannot change an xfstests tree', 'Give a patch', {
      place: { file: file.file },
    });
  }
  const steps = await stepsOf(file, signal);
  if (!steps.ok) return steps;
  const paths: string[] = [];
  for (const step of steps.value as PatchStep[]) {
    if (/^(?:new(?: file)? mode|index \S+) (?:12|16)\d{4}\b/m.test(step.text.toString('latin1'))) {
      return failure(
        'usage',
        `${step.label} creates a link`,
        'Give a patch that creates files alone',
        { place: { file: file.file } },
      );
    }
    const applied = await applyPatch(step, {
      ...{ tree, scratch, signal, release: 'this xfstests tree', whole: true },
      remedy: 'Rebase it onto the tree of --suite',
    });
    if (!applied.ok) {
      const { kind } = applied.failure;
      return kind === 'change-rejected'
        ? { ok: false, failure: { ...applied.failure, kind: 'usage' } }
        : applied;
    }
    paths.push(...applied.value);
  }
  return success(paths);
}

async function addFile(tree: string, path: string, content: Buffer): Promise<Outcome<string[]>> {
  const place = join(tree, path);
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, content);
  return success([path]);
}

/** Runs make in the copy if sources have changed: only what they change is built again. */
async function buildIn(
  tree: string,
  touched: readonly string[],
  { progress, signal }: OverlayContext,
): Promise<Outcome<void>> {
  const source = touched.find(needsBuild);
  if (source === undefined) return success(undefined);
  const isSource = await stat(join(tree, 'Makefile')).catch(() => undefined);
  if (!isSource) {
    return failure(
      'usage',
      `A patch changes ${source}, which has to be built, and this tree is an installed one`,
      'Name the source tree with --suite',
    );
  }
  progress({ type: 'stage', text: `building what changed in the xfstests tree (${source})` });
  const made = await runTool(['make', `-j${availableParallelism()}`], {
    cwd: tree,
    env: { LC_ALL: 'C' },
    ...(signal ? { signal } : {}),
  });
  if (made.ok) return success(undefined);
  if (made.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  return failure(
    made.exitCode === 127 ? 'program-missing' : 'usage',
    made.exitCode === 127
      ? `A patch changes ${source}, and this machine has no make to build it`
      : 'The xfstests tree does not build with the patches of --suite-patch',
    made.exitCode === 127 ? '`daxrepro setup` installs it' : 'Correct the patch',
    { detail: tail(made.all) },
  );
}
