import { resolve } from 'node:path';
import type { ImageContext } from '../guest/image.js';
import { allOf, type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { builtinTests } from '../suite/builtin.js';
import { packUserTest } from '../user-test/pack.js';
import { checkDirectory, isExistingFile, isFileWord, readUserTest } from '../user-test/read.js';
import type { PackedUserTest, UserTest, UserTestSettings } from '../user-test/user-test.js';
import type { RunOptions } from './run-options.js';

/** The options that decide how the user's files run. */
export type UserTestOptions = Pick<
  RunOptions,
  | 'keptTests'
  | 'testsFrom'
  | 'configured'
  | 'size'
  | 'memory'
  | 'timeout'
  | 'for'
  | 'mkfsOpts'
  | 'mountOpts'
> & { with?: string | undefined };

export interface SelectedFiles {
  userTests: Map<string, UserTest>;
  /** Words that name tests of a suite. */
  others: string[];
}

/** Tells the user's own files from the names of a suite's tests, and reads them. */
export function selectFiles(
  words: readonly string[],
  options: UserTestOptions,
): Outcome<SelectedFiles> {
  const directory = checkDirectory(options.with);
  if (!directory.ok) return directory;
  const read: Record<string, Outcome<UserTest>> = {};
  const others: string[] = [];
  for (const word of words) {
    const kept = options.keptTests?.get(word);
    if (kept) read[word] = success(kept);
    else if (isFileWord(word) || (isFile(word, options) && !isBuiltin(word))) {
      read[word] = readWithOptions(word, { ...options, with: directory.value });
    } else others.push(word);
  }
  const tests = allOf(read);
  return tests.ok ? success({ userTests: new Map(Object.entries(tests.value)), others }) : tests;
}

/** Reads the headers of all bundled tests: only for a word that also names a file. */
function isBuiltin(word: string): boolean {
  return builtinTests().some(({ id }) => id === word);
}

function isFile(word: string, { testsFrom = '.' }: UserTestOptions): boolean {
  return isExistingFile(resolve(testsFrom, word));
}

function readWithOptions(word: string, options: UserTestOptions): Outcome<UserTest> {
  const read = readUserTest(word, { from: options.testsFrom, with: options.with });
  if (!read.ok) return read;
  return success({ ...read.value, settings: withoutGiven(read.value.settings, options) });
}

/** What the command line says wins over a file's header, and the header over daxrepro.yaml. */
function withoutGiven(settings: UserTestSettings, options: UserTestOptions): UserTestSettings {
  const given = (name: string, value: string | undefined) =>
    value !== undefined && !options.configured?.includes(name);
  const overridden: Partial<Record<keyof UserTestSettings, boolean>> = {
    size: given('size', options.size),
    memory: given('memory', options.memory),
    timeout: given('timeout', options.timeout),
    runFor: given('for', options.for),
    mkfsOptions: given('mkfs-opts', options.mkfsOpts),
    mountOptions: given('mount-opts', options.mountOpts),
  };
  return Object.fromEntries(
    Object.entries(settings).filter(([key]) => !overridden[key as keyof UserTestSettings]),
  );
}

function noteOtherFileSystems({ fs, userTests }: RunRequest, { progress }: ImageContext): void {
  for (const { id, settings } of userTests?.values() ?? []) {
    const { fileSystems } = settings;
    if (!fileSystems || fileSystems.includes(fs)) continue;
    const text = `${id} is for ${fileSystems.join(' and ')}, as its first lines say; running it on ${fs} as requested`;
    progress({ type: 'note', text });
  }
}

/** Compiles and packs the test files of all requests, each once. */
export async function packUserTests(
  requests: readonly RunRequest[],
  context: ImageContext,
): Promise<Outcome<ReadonlyMap<string, PackedUserTest>>> {
  const packed = new Map<string, PackedUserTest>();
  for (const request of requests) noteOtherFileSystems(request, context);
  for (const [word, test] of requests.flatMap(({ userTests }) => [...(userTests ?? [])])) {
    if (packed.has(word)) continue;
    const one = await packUserTest(test, context);
    if (!one.ok) return one;
    packed.set(word, one.value);
  }
  return success(packed);
}
