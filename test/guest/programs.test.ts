import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { guestPrograms } from '../../cli/guest/programs.js';
import { makeContext, prependPath } from '../kernel/context.js';
import { makeProgram } from '../kernel/fixtures.js';

// The guest's own programs, run on this machine: without the plugin their marks do nothing here
// either.

const root = t.testdir();
const made = await guestPrograms({ store: makeContext(root).context.store });
if (!made.ok) throw new Error(made.failure.message);
const programs = made.value;
const skip = programs.missing ?? false;

async function perform(directory: string, script: string) {
  mkdirSync(directory, { recursive: true });
  const program = programs.files.get('promises') ?? '';
  const { exitCode, stdout } = await execa(program, {
    cwd: directory,
    input: script,
    reject: false,
  });
  return { exitCode, said: stdout };
}

async function look(directory: string, questions: string) {
  const program = programs.files.get('survivor') ?? '';
  const { stdout } = await execa(program, [directory], { input: questions, reject: false });
  return stdout.split('\n');
}

t.test('executes a script, and finds what it wrote', { skip }, async (t) => {
  const place = join(root, 'done');
  const done = await perform(
    place,
    `# comments, and blank lines
begin
directory d

file d/a
write 0 8k 11
fsync
map 0 8k
store 100 10 22
msync 100 10
store 4090 20 33
flush 4090 20
append 100 44
fdatasync
sync-directory d
rename d/a b
truncate 8250
use b dsync
write 0 1 55
sync
thread 0
file c
append 1 66
fsync
end
thread 0
file e
append 1 77
unlink e
end
`,
  );
  t.same(done, { exitCode: 0, said: '' });
  const questions = [
    'name b',
    'data 0 1 85',
    'data 1 99 17',
    'data 100 10 34',
    'data 4090 20 51',
    'data 8192 58 68',
    'data 8192 59 68',
    'data 90 30 17',
    'name d/a',
    'name d',
    'name c',
    'data 0 1 102',
    'name e',
  ];
  const answers = await look(place, `${questions.join('\n')}\n`);
  t.match(answers[7], /^data differs 100 109 10 34 -?\d+$/);
  answers[7] = '';
  t.strictSame(answers, [
    'name file 8250',
    ...['data same', 'data same', 'data same', 'data same', 'data same', 'data short 8250', ''],
    ...['name absent', 'name other', 'name file 1', 'data same', 'name absent', 'end'],
  ]);
});

t.test('reports failures, and rejects invalid scripts', { skip }, async (t) => {
  const at = (name: string) => join(root, name);
  t.match(await perform(at('twice'), 'file a\nsync\nfile b\nrename a b/c\n'), {
    exitCode: 1,
    said: 'rename: Not a directory',
  });
  for (const script of [
    'wirte 0 1 11',
    'write 0 1',
    'use a',
    'file a\nstore 0 1 11',
    'thread 0',
    `# ${'x'.repeat(300)}\n`,
  ]) {
    t.equal((await perform(at(script.slice(0, 3)), script)).exitCode, 2, script);
  }
});

t.test('reports a machine that cannot compile them', async (t) => {
  const bin = join(t.testdir(), 'bin');
  makeProgram(bin, 'gcc', 'echo "cannot find -lc"; exit 1');
  prependPath(t, bin);
  const { context } = makeContext(join(t.testdirName, 'other'));
  t.match(await guestPrograms({ store: context.store }), {
    ok: true,
    value: { key: 'none', missing: "gcc cannot compile the guest's program promises" },
  });
});
