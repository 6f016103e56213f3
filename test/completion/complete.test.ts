import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { commandLine } from '../../cli/command-line/program.js';
import { complete } from '../../cli/completion/complete.js';
import { PLACEHOLDERS } from '../../cli/completion/values.js';
import { placeholderOf, splitLine } from '../../cli/completion/words.js';
import { allCommands, nameOf } from '../util/command-line.js';

const TREE = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));

/** @param line the text after `daxrepro `, up to the cursor */
async function values(line: string): Promise<string[]> {
  const { values } = await complete(commandLine('0'), splitLine(line));
  return values.map(([value]) => value);
}

t.test('knows the placeholders of all commands', async (t) => {
  for (const command of allCommands(commandLine('0'))) {
    const words = [
      ...command.options.map(placeholderOf),
      ...command.registeredArguments.map((one) => one.name()),
    ].filter((word) => word !== undefined);
    const strange = words.filter((word) => !PLACEHOLDERS.includes(word as string));
    t.strictSame(strange, [], `${nameOf(command)}: cli/completion/values.ts`);
  }
});

t.test('completes commands, options and values', async (t) => {
  t.strictSame(await values('comp'), ['compare', 'completion']);
  t.strictSame(await values('bisect r'), ['run']);
  t.strictSame(await values('run e'), ['ext2', 'ext4']);
  t.strictSame(await values('run ext2 generic/0'), ['generic/002']);
  t.strictSame(await values('run ext2 --exclude generic/0'), ['generic/002']);
  t.strictSame(await values('run --pmem n'), ['nvdimm', 'none']);
  t.strictSame(await values('run --pmem=n'), ['--pmem=nvdimm', '--pmem=none']);
  t.strictSame(await values('run ext2 -g dax'), ['dax']);
  t.strictSame(await values('run --kern'), ['--kernel']);
  t.strictSame(await values('help co'), ['compare', 'collect', 'config', 'completion']);
  t.ok((await values('run --kernel ')).includes('debian:6.12'));
  t.strictSame(await values(`run ext4 --suite ${TREE} generic/00 generic/018`), ['generic/018']);
});

t.test('offers an option again only if it may be repeated', async (t) => {
  t.strictSame(await values('run ext2 --json --js'), []);
  t.strictSame(await values('run ext2 --patch x --pat'), ['--patch']);
  t.strictSame(await values('run ext2 -- --js'), [], 'no options after --');
});

t.test('completes paths', async (t) => {
  const pathsOf = async (line: string) => (await complete(commandLine('0'), splitLine(line))).paths;
  t.equal(await pathsOf('compare '), 'files');
  t.equal(await pathsOf('run --patch '), 'files');
  t.equal(await pathsOf('run --out '), 'directories');
  t.equal(await pathsOf('run '), 'none');
  const top = t.testdir({ linux: { 'a\x1b[2J': {} }, file: '' });
  mkdirSync(join(top, 'other'));
  t.strictSame(await values(`run --kernel src:${top}/li`), [`src:${top}/linux/`]);
  t.strictSame(
    await values(`run --kernel src:${top}/linux/`),
    [],
    'no names with control characters',
  );
  t.strictSame(await values(`run --kernel image:${top}/f`), [`image:${top}/file`]);
  t.strictSame(await values('run --kernel src:/nowhere/'), []);
});

t.test('splits a bash command line into words', async (t) => {
  t.strictSame(splitLine('run  "a b" c\\ d \'e"\' '), ['run', 'a b', 'c d', 'e"', '']);
  t.strictSame(splitLine('run $(x) `y`'), ['run', '$(x)', '`y`'], 'nothing is expanded');
  t.strictSame(splitLine(''), ['']);
});
