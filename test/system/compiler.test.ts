import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findCompiler } from '../../cli/system/compiler.js';
import { makeProgram } from '../kernel/fixtures.js';

function choose(t: import('tap').Test, wanted: string, ...present: string[]) {
  const directory = t.testdir();
  for (const name of present) makeProgram(directory, name, 'exit');
  return findCompiler(wanted, `:/nowhere:${directory}`);
}

t.test('finds the compiler that built the kernel, else the closest', async (t) => {
  const cases: [string, string[], string | undefined][] = [
    ['gcc-12', ['gcc', 'gcc-11', 'gcc-12', 'gcc-13', 'gcc-12-base'], 'gcc-12'],
    ['gcc-10', ['gcc', 'gcc-9', 'gcc-14', 'gcc-12'], 'gcc-9'],
    ['gcc-12', ['gcc-11', 'gcc-13'], 'gcc-13'],
    ['gcc-10', ['gcc', 'gcc-ar-10', 'gcc-nm'], 'gcc'],
    ['gcc', ['gcc', 'gcc-12'], 'gcc'],
    ['clang-16', ['gcc', 'gcc-16', 'clang-15'], 'clang-15'],
    ['gcc-12', ['cc', 'clang'], undefined],
  ];
  for (const [wanted, present, chosen] of cases) {
    await t.test(`${wanted} of ${present.join(', ')}`, async (t) => {
      t.equal((await choose(t, wanted, ...present))?.program, chosen);
    });
  }
});

t.test('ignores a compiler that may not be run', async (t) => {
  const directory = t.testdir({ 'gcc-12': '' });
  chmodSync(join(directory, 'gcc-12'), 0o644);
  t.equal(await findCompiler('gcc-12', directory), undefined);
});

t.test('changes the identity when the compiler is updated', async (t) => {
  const directory = t.testdir();
  makeProgram(directory, 'gcc-12', 'exit');
  const before = await findCompiler('gcc-12', directory);
  makeProgram(directory, 'gcc-12', 'exit # updated');
  const after = await findCompiler('gcc-12', directory);
  t.not(before?.identity, after?.identity);
});
