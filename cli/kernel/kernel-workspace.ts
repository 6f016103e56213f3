import { access, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import type { SourceTree } from './source-tree.js';

/**
 * The sources that full builds are made of, in a workspace: one copy of a tree, which becomes the
 * next version or variant of it by writing only those files that differ. make goes by their times,
 * so that only what they are compiled into is compiled again.
 *
 *     source/      the tree, with the last variant's changes
 *     build/       make's O=
 *     pristine/    the originals of the changed files
 *     previous/    the changed files of the variant before, while the next one is put there
 *     notes/       what a kind of tree wants to know of its last export
 *     state.json   which tree source/ is, and which of its files are changed
 */

/** Changes to a tree: of patches, or none. */
export interface SourceChange {
  /** As people call it. */
  name: string;
  /** Changes whenever what it does to a tree may. */
  identity: string;
  /**
   * Applies it to copies of the files that it touches.
   *
   * @param source the tree, which stays as it is
   * @param scratch an empty directory
   * @param release the version, for messages: `6.1.192`
   */
  apply(source: string, scratch: string, release: string): Promise<Outcome<ChangedFiles>>;
}

export interface ChangedFiles {
  /** Holds the changed and the new files, by their paths. */
  directory: string;
  /** All that changed; those that are not in `directory` are gone. */
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

/** Puts the originals back; what was there instead goes to `previous/`. */
async function restore(workspace: string, changed: readonly string[]): Promise<readonly string[]> {
  const previous = join(workspace, 'previous');
  await rm(previous, { recursive: true, force: true });
  for (const path of changed) {
    const file = join(workspace, 'source', path);
    if (await exists(file)) await move(file, join(previous, path));
    const original = join(workspace, 'pristine', path);
    // A copy has a new time: it is other than what was compiled last.
    if (await exists(original)) await copy(original, file);
  }
  await rm(join(workspace, 'pristine'), { recursive: true, force: true });
  return changed;
}

async function putOver(workspace: string, { directory, paths }: ChangedFiles): Promise<void> {
  for (const path of paths) {
    const file = join(workspace, 'source', path);
    if (await exists(file)) await move(file, join(workspace, 'pristine', path));
    // Never through a link that lies there.
    await rm(file, { force: true });
    if (await exists(join(directory, path))) await copy(join(directory, path), file);
  }
}

/** What is now as it was when it was compiled last gets that file back, with its time. */
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
