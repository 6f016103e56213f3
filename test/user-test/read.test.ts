import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkDirectory, isFileWord, readUserTest } from '../../cli/user-test/read.js';

const place = t.testdir();

function file(name: string, content: string, mode = 0o644): string {
  const path = join(place, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

t.test('tells files from the names of tests', (t) => {
  for (const word of ['./x', '../x', '/x', './a/b.c']) t.ok(isFileWord(word), word);
  for (const word of ['generic/002', 'x.c', '.x', 'dax/mmap']) t.notOk(isFileWord(word), word);
  t.end();
});

t.test('tells the kinds of file', (t) => {
  const kinds = [
    [file('a.sh', '#!/bin/bash\n', 0o755), 'program'],
    [file('a.c', 'int main;'), 'c'],
    [file('a.fio', '[job]'), 'fio'],
    [file('elf', '\x7fELF...', 0o755), 'program'],
  ] as const;
  for (const [path, kind] of kinds) t.match(readUserTest(path), { ok: true, value: { kind } });
  t.end();
});

t.test('is relative to the directory of the case file', (t) => {
  file('rel.sh', '#!/bin/sh\n', 0o755);
  t.match(readUserTest('./rel.sh', { from: place }), {
    ok: true,
    value: { id: './rel.sh', file: join(place, 'rel.sh') },
  });
  t.end();
});

t.test('says what is wrong with a file, and how to fix it', (t) => {
  mkdirSync(join(place, 'directory'));
  const wrong: [string, RegExp, RegExp][] = [
    [join(place, 'none.sh'), /There is no file/, /Check the path/],
    [join(place, 'directory'), /is not a file/, /Name a script/],
    [file('empty.sh', '', 0o755), /is empty/, /Write/],
    [file('plain.sh', '#!/bin/sh\n'), /is not executable/, /chmod \+x plain\.sh/],
    [file('words', 'echo hi\n', 0o755), /no interpreter line/, /#!/],
    [file('bad.c', '// daxrepro: size x\n'), /is not a size/, /bytes/],
  ];
  for (const [path, message, remedy] of wrong) {
    t.match(readUserTest(path), { ok: false, failure: { message, remedy } }, path);
  }
  t.match(checkDirectory(join(place, 'nowhere')), {
    ok: false,
    failure: { message: /--with .* is not a directory/ },
  });
  t.end();
});
