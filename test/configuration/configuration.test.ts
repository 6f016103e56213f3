import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import t, { type Test } from 'tap';
import { applyConfiguration } from '../../cli/configuration/apply.js';
import { readConfiguration } from '../../cli/configuration/configuration.js';
import { findConfiguration } from '../../cli/configuration/find.js';
import { formatFailure } from '../../cli/outcome.js';

const TREE = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));

async function read(t: Test, text: string) {
  const directory = t.testdir({ 'daxrepro.yaml': text });
  const file = join(directory, 'daxrepro.yaml');
  const outcome = await readConfiguration(file);
  const said = outcome.ok ? '' : formatFailure(outcome.failure).replace(`${directory}/`, '');
  return { directory, outcome, said };
}

t.test('all keys, with paths that begin at the file', async (t) => {
  const { directory, outcome } = await read(
    t,
    [
      `suite: ${TREE}`,
      'kernel: debian:6.12',
      'pmem: nvdimm',
      'accel: tcg',
      'out: runs',
      'jobs: 2',
      'timeout: 90',
      'together: true',
      'expected: known.yaml',
      'exclude: generic/475',
      'exclude-file: [a.txt, /b.txt]',
      'exclude-group: [dangerous]',
    ].join('\n'),
  );
  t.match(outcome, {
    ok: true,
    value: {
      values: {
        suite: TREE,
        kernel: 'debian:6.12',
        pmem: 'nvdimm',
        accel: 'tcg',
        out: join(directory, 'runs'),
        jobs: '2',
        timeout: '90',
        together: true,
        expected: join(directory, 'known.yaml'),
        exclude: ['generic/475'],
        excludeFile: [join(directory, 'a.txt'), '/b.txt'],
        excludeGroup: ['dangerous'],
      },
    },
  });
});

t.test('a file that says nothing', async (t) => {
  t.match((await read(t, '# nothing yet\n')).outcome, { ok: true, value: { values: {} } });
});

const WRONG: [text: string, said: RegExp][] = [
  [
    'kernell: debian:6.1',
    /^daxrepro: daxrepro.yaml:1:1: There is no key "kernell".*\n.*Did you mean kernel\?/,
  ],
  ['jobs: 1\npmem: optane', /yaml:2:7: "pmem" cannot be this\.\n {2}Give one of memmap, nvdimm/],
  ['jobs: 0', /yaml:1:7: .*\n {2}Give 1 or more guests/],
  ['together: perhaps', /yaml:1:11: .*\n {2}Give true or false/],
  ['kernel: debian:1.0', /yaml:1:9: .*Debian's kernels here do not include 1\.0/],
  ['kernel: src:linux', /yaml:1:9: The path of this kernel is relative\.\n {2}Give the whole path/],
  ['suite: nowhere', /yaml:1:8: suite .*there is no directory/],
  ['timeout: soon', /yaml:1:10: "soon" is not a time/],
  ['exclude: [generic/1, "two words"]', /yaml:1:22: This is no test, range or pattern/],
  ['- a list', /yaml:1:1: This is no configuration\.\n {2}Give a map/],
  ['jobs: [', /yaml:1:\d+: This is no YAML/],
];
for (const [text, said] of WRONG) {
  t.test(text, async (t) => {
    t.match((await read(t, text)).said, said);
  });
}

t.test('it is looked for upwards', async (t) => {
  const directory = t.testdir({ 'daxrepro.yaml': '', a: { b: {} } });
  t.equal(findConfiguration(join(directory, 'a/b')), join(directory, 'daxrepro.yaml'));
  mkdirSync(join(directory, 'c'));
  writeFileSync(join(directory, 'c/daxrepro.yaml'), '');
  t.equal(findConfiguration(join(directory, 'c')), join(directory, 'c/daxrepro.yaml'));
});

t.test('options go before it, and it before what is usual', async (t) => {
  const directory = t.testdir({ 'daxrepro.yaml': 'kernel: debian:6.12\njobs: 3\npmem: nvdimm\n' });
  const before = process.cwd();
  process.chdir(directory);
  t.teardown(() => process.chdir(before));
  const parse = async (name: string, words: string[]) => {
    const command = new Command(name)
      .argument('[case]')
      .option('--kernel <spec>', '', 'debian:6.1')
      .option('--pmem <kind>', '', (value, all: string[] = []) => [...all, value])
      .option('--jobs <n>');
    command.hook('preAction', async () => {
      t.equal(await applyConfiguration(command), undefined);
    });
    await command.action(() => {}).parseAsync(words, { from: 'user' });
    return command.opts();
  };
  t.match(await parse('run', []), { kernel: 'debian:6.12', jobs: '3', pmem: ['nvdimm'] });
  t.match(await parse('run', ['--kernel', 'debian:6.1']), { kernel: 'debian:6.1', jobs: '3' });
  const compared = await parse('compare', ['case.yaml']);
  t.match(compared, { kernel: 'debian:6.1', jobs: '3' }, 'a case goes before it');
  t.equal(compared['pmem'], undefined);
});
