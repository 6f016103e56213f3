import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  addParents,
  directoryEntries,
  type ImageContext,
  librariesBeyondRoot,
  pack,
  programEntries,
  programsOfRoot,
} from '../guest/image.js';
import { isElf } from '../guest/libraries.js';
import type { MtreeEntry } from '../guest/mtree.js';
import { findProgramIn, HOST_USERLAND, ownerOf, type Userland } from '../guest/userland.js';
import { failure, type Outcome, success } from '../outcome.js';
import { sha256Of } from '../sha256.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { compileUserTest } from './compile.js';
import { interpreterOf, programsOfScript } from './script-programs.js';
import type { PackedUserTest, UserTest } from './user-test.js';

/**
 * Packs a test for the guest: the file, the directory of `--with`, and programs of this machine that the
 * test needs and the guest lacks. The guest unpacks the archive at its root.
 */

/** Where the guest has them; guest-scripts/lib/user-test.pl says so too. */
const PLACE = 'run/user-test';

/** Bytes: the archive goes through the guest's channel and into its memory. */
const LARGEST = 256 * 1024 * 1024;

export async function packUserTest(
  test: UserTest,
  context: ImageContext,
): Promise<Outcome<PackedUserTest>> {
  const file = test.packed === undefined ? await packFresh(test, context) : success(test.packed);
  if (!file.ok) return file;
  const content = await readFile(file.value);
  if (content.length > LARGEST) {
    return failure(
      'usage',
      `${test.id} and what it needs take ${Math.ceil(content.length / 2 ** 20)} MiB, more than ${LARGEST / 2 ** 20} MiB`,
      'Leave files out of the directory of --with',
    );
  }
  const sha256 = sha256Of(content);
  return success({ test, file: file.value, bytes: content.length, sha256 });
}

async function packFresh(test: UserTest, context: ImageContext): Promise<Outcome<string>> {
  const program = test.kind === 'c' ? await compileUserTest(test, context) : success(test.file);
  if (!program.ok) return program;
  const { userland = HOST_USERLAND } = context;
  const needed = await neededPrograms(test, program.value, userland);
  if (!needed.ok) return needed;
  const { programs, libraries, missing, starter } = needed.value;
  const whose = ownerOf(userland);
  if (starter !== undefined && missing.includes(starter)) {
    return failure(
      'usage',
      `${test.id} needs ${starter}, and ${whose} does not have it`,
      test.kind === 'fio' ? 'Install fio' : 'Install it, or correct the first line of the file',
    );
  }
  if (missing.length > 0) {
    const text = `${test.id}: neither the guest nor ${whose} has ${missing.join(', ')}`;
    context.progress({ type: 'note', text });
  }
  const entries = await entriesOf(test, program.value, needed.value, userland);
  const key = cacheKey({
    layout: 1,
    kind: test.kind,
    entries: await identityOf(entries),
    programs: [...programs.keys(), ...libraries].join(' '),
  });
  const made = await lookUpOrMake(context.store, 'user-test', key, (directory) =>
    pack(entries, join(directory, 'test.tar'), directory, context.signal, 'ustar'),
  );
  return made.ok ? success(join(made.value, 'test.tar')) : made;
}

async function entriesOf(
  test: UserTest,
  program: string,
  { programs, libraries }: Needed,
  userland: Userland,
): Promise<MtreeEntry[]> {
  const entries: MtreeEntry[] = [];
  const there = new Set<string>();
  const add = (entry: MtreeEntry) => {
    addParents(entries, there, entry.path);
    there.add(entry.path);
    entries.push(entry);
  };
  const mode = test.kind === 'fio' ? 0o644 : 0o755;
  add({ type: 'file', path: join(PLACE, 'test'), content: program, mode });
  if (test.with !== undefined) {
    add({ type: 'dir', path: join(PLACE, 'with') });
    for (const entry of await directoryEntries(test.with, join(PLACE, 'with'))) add(entry);
  }
  const places = [...programs].map(([name, file]) => ({ path: `usr/bin/${name}`, file }));
  for (const entry of await programEntries(places, libraries, userland)) add(entry);
  return entries;
}

/** Content by size and time; what the user edits by its bytes. */
async function identityOf(entries: readonly MtreeEntry[]): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of entries) {
    hash.update(`${JSON.stringify(entry)}\n`);
    if (entry.type !== 'file') continue;
    if (entry.path === join(PLACE, 'test')) hash.update(await readFile(entry.content));
    else {
      const { size, mtimeMs } = await stat(entry.content);
      hash.update(`${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

interface Needed {
  /** Programs that the guest lacks: name → file on this machine. */
  programs: Map<string, string>;
  /** Libraries that they and the test load, and the guest lacks. */
  libraries: string[];
  /** What this machine lacks as well. */
  missing: string[];
  /** The program without which the test cannot start: its interpreter, or fio. */
  starter: string | undefined;
}

async function neededPrograms(
  test: UserTest,
  program: string,
  userland: Userland,
): Promise<Outcome<Needed>> {
  const content = await readFile(program);
  const { starter, names } = namesIn(test, content);
  const inGuest = programsOfRoot(userland);
  const programs = new Map<string, string>();
  const missing: string[] = [];
  for (const name of names.filter((one) => !inGuest.has(basename(one)))) {
    // A path, of an interpreter, has to be right as it is: the guest has the same layout.
    const file = findProgramIn(userland, name);
    if (file) programs.set(basename(name), file);
    else missing.push(name);
  }
  const binaries = await dynamicOf([program, ...programs.values()]);
  const libraries = await librariesBeyondRoot(binaries, userland);
  return libraries.ok
    ? success({ programs, libraries: libraries.value, missing, starter })
    : libraries;
}

function namesIn(
  test: UserTest,
  content: Buffer,
): { starter: string | undefined; names: string[] } {
  if (test.kind === 'fio') return { starter: 'fio', names: ['fio'] };
  if (isElf(content)) return { starter: undefined, names: [] };
  const script = content.toString('latin1');
  const starter = interpreterOf(script);
  const shell = /(^|\/)(ba|da|k|z)?sh$/.test(starter ?? '');
  return {
    starter,
    names: [...(starter ? [starter] : []), ...(shell ? programsOfScript(script) : [])],
  };
}

/** Those with an interpreter segment: ldd refuses static programs and scripts. */
async function dynamicOf(files: readonly string[]): Promise<string[]> {
  const dynamic = await Promise.all(
    files.map(async (file) => {
      const content = await readFile(file);
      return isElf(content) && content.includes('/ld-linux') ? [file] : [];
    }),
  );
  return dynamic.flat();
}
