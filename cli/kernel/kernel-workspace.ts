import { access, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import type { SourceTree } from './source-tree.js';

/**
 * The workspace of full builds: one copy of a tree, which becomes the next version or variant by
 * writing only the files that differ. make goes by their times, so it recompiles only what depends
 * on them.
 *
 *     source/      the tree, with the last variant's changes
 *     build/       make's O=
 *     pristine/    the originals of the changed files
 *     previous/    the previous variant's changed files, while the next one is put in place
 *     notes/       what a kind of tree remembers of its last export
 *     state.json   which tree source/ is, and which of its files are changed
 */

/** Changes to a tree, such as patches. */
export interface SourceChange {
  /** The name that messages use. */
  name: string;
  /** Differs whenever the changes to a tree may differ. */
  identity: string;
  /**
   * Applies the change to copies of the files that it touches.
   *
   * @param source the tree, which is not modified
   * @param scratch an empty directory
   * @param release the version, for messages: `6.1.192`
   */
  apply(source: string, scratch: string, release: string): Promise<Outcome<ChangedFiles>>;
}

export interface ChangedFiles {
  /** Holds the changed and new files, by their paths. */
  directory: string;
  /** All paths that changed. Those not in `directory` are deleted. */
  paths: readonly string[];
}

const stateSchema = z.object({ tree: z.string(), changed: z.array(z.string()) });
type State = z.infer<typeof stateSchema>;

/**
 * Makes `source/` in the workspace hold the tree with the change.
 *
 * @param onExport called before the tree is copied, which may take a while
 */
export async function prepareSource(
  workspace: string,
  { tree, change }: { tree: SourceTree; change: SourceChange | undefined },
  onExport: () => void,
  signal?: AbortSignal,
): Promise<Outcome<string>> {
  const source = join(workspace, 'source');
  const state = await readState(workspace);
  const before = await restore(workspace, state?.changed ?? []);
  if (state?.tree !== tree.identity) {
    const notes = join(workspace, 'notes');
    onExport();
    await mkdir(notes, { recursive: true });
    await writeState(workspace, { tree: '', changed: [] });
    const exported = await tree.exportTo(source, notes, signal);
    if (!exported.ok) return exported;
  }
  await writeState(workspace, { tree: tree.identity, changed: [] });
  if (change) {
    const scratch = join(workspace, 'scratch');
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch);
    const applied = await change.apply(source, scratch, tree.version);
    if (!applied.ok) {
      await rm(scratch, { recursive: true });
      return applied;
    }
    await putOver(workspace, applied.value);
    await rm(scratch, { recursive: true });
    await writeState(workspace, { tree: tree.identity, changed: [...applied.value.paths] });
  }
  await keepTimes(workspace, before);
  return success(source);
}

/** Puts the originals back and moves the changed files to `previous/`. */
async function restore(workspace: string, changed: readonly string[]): Promise<readonly string[]> {
  const previous = join(workspace, 'previous');
  await rm(previous, { recursive: true, force: true });
  for (const path of changed) {
    const file = join(workspace, 'source', path);
    if (await exists(file)) await move(file, join(previous, path));
    const original = join(workspace, 'pristine', path);
    // The copy gets a new time, because it differs from what was compiled last.
    if (await exists(original)) await copy(original, file);
  }
  await rm(join(workspace, 'pristine'), { recursive: true, force: true });
  return changed;
}

async function putOver(workspace: string, { directory, paths }: ChangedFiles): Promise<void> {
  for (const path of paths) {
    const file = join(workspace, 'source', path);
    if (await exists(file)) await move(file, join(workspace, 'pristine', path));
    // Never write through a link that lies there.
    await rm(file, { force: true });
    if (await exists(join(directory, path))) await copy(join(directory, path), file);
  }
}

/** Files unchanged since the last build get their old time back, so that make skips them. */
async function keepTimes(workspace: string, before: readonly string[]): Promise<void> {
  for (const path of before) {
    const [was, is] = [join(workspace, 'previous', path), join(workspace, 'source', path)];
    const [old, now] = await Promise.all([contentOf(was), contentOf(is)]);
    if (old && now?.equals(old)) await rename(was, is);
  }
  await rm(join(workspace, 'previous'), { recursive: true, force: true });
}

async function readState(workspace: string): Promise<State | undefined> {
  const text = await readFile(join(workspace, 'state.json'), 'utf8').catch(() => 'null');
  return stateSchema.safeParse(JSON.parse(text)).data;
}

async function writeState(workspace: string, state: State): Promise<void> {
  await writeFile(join(workspace, 'state.json'), JSON.stringify(state));
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

async function contentOf(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
