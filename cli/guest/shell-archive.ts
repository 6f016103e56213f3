import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { findProgram, systemPath } from '../system/programs.js';
import {
  addParents,
  directoryEntries,
  type GuestImage,
  type ImageContext,
  librariesBeyondRoot,
  pack,
  programEntries,
  SYSTEM_PATH,
} from './image.js';
import { readShellManifest } from './manifest.js';
import type { MtreeEntry } from './mtree.js';

/**
 * The host's programs for a person in a session: an editor, a pager, strace and perf. Part of the
 * initramfs, and so of the checkpoint. Programs that the host lacks are left out.
 */
export async function shellArchive(context: ImageContext): Promise<Outcome<GuestImage>> {
  const { programs, directories } = readShellManifest();
  const path = `${SYSTEM_PATH}:${systemPath()}`;
  const found = programs
    .map((name) => ({ name, file: findProgram(name, path) }))
    .filter((one): one is { name: string; file: string } => one.file !== undefined);
  const stamps = await Promise.all([...found.map(({ file }) => file), ...directories].map(stampOf));
  const key = cacheKey({
    layout: 1,
    programs: found.map(({ name }) => name).join(' '),
    stamps: stamps.join('\n'),
    loader: await stampOf('/etc/ld.so.cache'),
  });
  const made = await lookUpOrMake(context.store, 'guest-shell', key, async (directory) => {
    context.progress({ type: 'stage', text: "adding this machine's tools to the guest image" });
    const libraries = await librariesBeyondRoot(found.map(({ file }) => file));
    if (!libraries.ok) return libraries;
    const entries: MtreeEntry[] = [];
    const there = new Set<string>();
    const add = (entry: MtreeEntry) => {
      addParents(entries, there, entry.path);
      entries.push(entry);
    };
    const places = found.map(({ name, file }) => ({ path: `usr/bin/${name}`, file }));
    for (const entry of await programEntries(places, libraries.value)) add(entry);
    for (const one of directories) {
      for (const entry of await directoryEntries(one, one.slice(1))) add(entry);
    }
    return pack(entries, join(directory, 'shell.cpio'), directory, context.signal);
  });
  return made.ok ? success({ file: join(made.value, 'shell.cpio'), key }) : made;
}

async function stampOf(path: string): Promise<string> {
  const real = await realpath(path).catch(() => path);
  const { size, mtimeMs } = await stat(real).catch(() => ({ size: -1, mtimeMs: 0 }));
  return `${real} ${size} ${mtimeMs}`;
}
