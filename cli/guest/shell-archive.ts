import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import {
  addParents,
  directoryEntries,
  type GuestImage,
  type ImageContext,
  librariesBeyondRoot,
  pack,
  programEntries,
} from './image.js';
import { readShellManifest } from './manifest.js';
import type { MtreeEntry } from './mtree.js';
import {
  findProgramIn,
  HOST_USERLAND,
  librariesIdentity,
  realpathIn,
  stampOf,
} from './userland.js';

/**
 * The userland's programs for a person in a session: an editor, a pager, strace and perf. Part of the
 * initramfs, and so of the checkpoint. Programs that it lacks are left out.
 */
export async function shellArchive(context: ImageContext): Promise<Outcome<GuestImage>> {
  const { programs, directories } = readShellManifest();
  const { userland = HOST_USERLAND } = context;
  const found = programs
    .map((name) => ({ name, file: findProgramIn(userland, name) }))
    .filter((one): one is { name: string; file: string } => one.file !== undefined);
  const copied = directories.map((path) => ({ path, source: realpathIn(userland.root, path) }));
  const files = [...found.map(({ file }) => file), ...copied.map(({ source }) => source)];
  const key = cacheKey({
    layout: 2,
    programs: found.map(({ name }) => name).join(' '),
    stamps: userland.key ?? files.map(stampOf).join('\n'),
    loader: userland.key ?? librariesIdentity(userland),
  });
  const made = await lookUpOrMake(context.store, 'guest-shell', key, async (directory) => {
    context.progress({ type: 'stage', text: 'adding tools for a person to the guest image' });
    const libraries = await librariesBeyondRoot(
      found.map(({ file }) => file),
      userland,
    );
    if (!libraries.ok) return libraries;
    const entries: MtreeEntry[] = [];
    const there = new Set<string>();
    const add = (entry: MtreeEntry) => {
      addParents(entries, there, entry.path);
      entries.push(entry);
    };
    const places = found.map(({ name, file }) => ({ path: `usr/bin/${name}`, file }));
    for (const entry of await programEntries(places, libraries.value, userland)) add(entry);
    for (const { path, source } of copied) {
      for (const entry of await directoryEntries(source, path.slice(1))) add(entry);
    }
    return pack(entries, join(directory, 'shell.cpio'), directory, context.signal);
  });
  return made.ok ? success({ file: join(made.value, 'shell.cpio'), key }) : made;
}
