import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { isElf } from '../guest/libraries.js';
import { failure, type Outcome, success } from '../outcome.js';
import { readHeader } from './header.js';
import type { UserTest, UserTestKind } from './user-test.js';

/** Whether a word names a file and not a test of a suite: it begins with `/`, `./` or `../`. */
export function isFileWord(word: string): boolean {
  return /^\.{0,2}\//.test(word);
}

/** Whether there is a file with a name that no test of a suite has: `repro.c`. */
export function isExistingFile(word: string): boolean {
  return existsSync(word) && statSync(word).isFile();
}

/** A header is at the top, and no longer than this. */
const HEADER_BYTES = 64 * 1024;

/**
 * Reads a test file: what it is, and its settings.
 *
 * @param from the directory that the word is relative to
 * @param options.with the directory of `--with`, checked already
 */
export function readUserTest(
  id: string,
  {
    from = '.',
    with: withDirectory,
  }: { from?: string | undefined; with?: string | undefined } = {},
): Outcome<UserTest> {
  const file = resolve(from, id);
  const begin = readBegin(file);
  if (!begin.ok) return begin;
  const kind = kindOf(file, begin.value);
  if (!kind.ok) return kind;
  const settings = isElf(begin.value)
    ? success({})
    : readHeader(file, begin.value.toString('latin1'));
  if (!settings.ok) return settings;
  return success({
    ...{ id, file, kind: kind.value, settings: settings.value },
    ...(withDirectory === undefined ? {} : { with: withDirectory }),
  });
}

function readBegin(file: string): Outcome<Buffer> {
  try {
    if (!statSync(file).isFile()) {
      return failure(
        'usage',
        `${file} is not a file`,
        'Name a script, a program, a .c or a .fio file',
      );
    }
    const buffer = Buffer.alloc(HEADER_BYTES);
    const opened = openSync(file, 'r');
    try {
      return success(buffer.subarray(0, readSync(opened, buffer)));
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code === 'ENOENT'
      ? failure(
          'usage',
          `There is no file ${file}`,
          'Check the path; `daxrepro list` shows the bundled tests',
        )
      : failure('unreadable', `${file} cannot be read: ${message}`, 'Make it readable');
  }
}

function kindOf(file: string, begin: Buffer): Outcome<UserTestKind> {
  const extension = extname(file);
  if (extension === '.c') return success('c');
  if (extension === '.fio') return success('fio');
  if (begin.length === 0) {
    return failure('usage', `${file} is empty`, 'Write the test into it');
  }
  const executable = (statSync(file).mode & 0o111) !== 0;
  const script = begin.subarray(0, 2).toString('latin1') === '#!';
  if (!executable) {
    return failure(
      'usage',
      `${file} is not executable`,
      `Run chmod +x ${basename(file)}; only .c and .fio files need not be executable`,
    );
  }
  if (script || isElf(begin)) return success('program');
  return failure(
    'usage',
    `${file} has no interpreter line and is not an ELF program`,
    'Begin a script with #!/bin/bash or the path of another interpreter',
  );
}

/** The directory of `--with`, made absolute. */
export function checkDirectory(directory: string | undefined): Outcome<string | undefined> {
  if (directory === undefined) return success(undefined);
  const path = resolve(directory);
  return existsSync(path) && statSync(path).isDirectory()
    ? success(path)
    : failure('usage', `--with ${directory} is not a directory`, 'Name an existing directory');
}
