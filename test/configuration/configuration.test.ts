import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import t, { type Test } from 'tap';
import { commandLine } from '../../cli/command-line/program.js';
import { configCommand } from '../../cli/commands/config.js';
import { applyConfiguration } from '../../cli/configuration/apply.js';
import { readConfiguration } from '../../cli/configuration/configuration.js';
import { misspelt, readEnvironment } from '../../cli/configuration/environment.js';
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

t.test('reads all keys, with paths relative to the file', async (t) => {
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
      'variants:',
      '  v2: daxrepro.yaml',
      '  none: []',
    ].join('\n'),
  );
  t.match(outcome, {
    ok: true,
    value: {
      settings: {
        suite: { value: TREE, source: { type: 'file', place: { line: 1 } } },
        kernel: { value: 'debian:6.12', source: { type: 'file', place: { line: 2 } } },
        pmem: { value: 'nvdimm' },
        accel: { value: 'tcg' },
        out: { value: join(directory, 'runs') },
        jobs: { value: '2' },
        timeout: { value: '90' },
        together: { value: true },
        expected: { value: join(directory, 'known.yaml') },
        exclude: { value: ['generic/475'] },
        'exclude-file': { value: [join(directory, 'a.txt'), '/b.txt'] },
        'exclude-group': { value: ['dangerous'], source: { place: { line: 12 } } },
      },
      variants: [
        { name: 'v2', changes: [join(directory, 'daxrepro.yaml')], place: { line: 14 } },
        { name: 'none', changes: { length: 0 }, place: { line: 15 } },
      ],
    },
  });
});

t.test('accepts an empty file', async (t) => {
  const { outcome } = await read(t, '# nothing yet\n');
  t.match(outcome, { ok: true, value: { variants: { length: 0 } } });
  t.strictSame(outcome.ok && outcome.value.settings, {});
});

const WRONG: [text: string, said: RegExp][] = [
  [
    'kernell: debian:6.1',
    /^daxrepro: daxrepro.yaml:1:1: Unknown key "kernell".*\n.*Did you mean kernel\?/,
  ],
  ['jobs: 1\npmem: optane', /yaml:2:7: "pmem" has a wrong value\.\n {2}Give one of memmap, nvdimm/],
  ['jobs: 0', /yaml:1:7: .*\n {2}Give a number of guests, 1 or more/],
  ['together: perhaps', /yaml:1:11: .*\n {2}Give true or false/],
  ['kernel: debian:1', /yaml:1:9: .*that is neither X\.Y/],
  [
    'kernel: src:linux',
    /yaml:1:9: The path of this kernel is relative\.\n {2}Give an absolute path/,
  ],
  ['suite: nowhere', /yaml:1:8: suite .*there is no directory/],
  ['timeout: soon', /yaml:1:10: "soon" is not a time/],
  ['exclude: [generic/1, "two words"]', /yaml:1:22: This is not a test, range or pattern/],
  [
    'variants: {v2: gone.patch}',
    /yaml:1:16: gone\.patch, a change of v2, does not exist\.\n {2}Paths/,
  ],
  [
    'jobs: 1\nvariants: {"a b": x}',
    /yaml:2:\d+: "a b" is not a valid variant name\.\n {2}Names are/,
  ],
  ['variants: [v2.patch]', /yaml:1:11: "variants" has a wrong value\.\n {2}Give names with/],
  ['- a list', /yaml:1:1: This is not a configuration\.\n {2}Give a map/],
  ['jobs: [', /yaml:1:\d+: This is not valid YAML/],
];
for (const [text, said] of WRONG) {
  t.test(text, async (t) => {
    t.match((await read(t, text)).said, said);
  });
}

t.test('searches for the file upwards', async (t) => {
  const directory = t.testdir({ 'daxrepro.yaml': '', a: { b: {} } });
  t.equal(findConfiguration(join(directory, 'a/b')), join(directory, 'daxrepro.yaml'));
  mkdirSync(join(directory, 'c'));
  writeFileSync(join(directory, 'c/daxrepro.yaml'), '');
  t.equal(findConfiguration(join(directory, 'c')), join(directory, 'c/daxrepro.yaml'));
});

/** Runs in a directory with this file, and with these environment variables. */
async function inPlace(
  t: Test,
  text: string,
  variables: Record<string, string>,
  work: (directory: string) => Promise<void>,
) {
  const directory = t.testdir({ 'daxrepro.yaml': text, 'v2.patch': '' });
  const before = process.cwd();
  process.chdir(directory);
  Object.assign(process.env, variables);
  try {
    await work(directory);
  } finally {
    process.chdir(before);
    for (const name of Object.keys(variables)) delete process.env[name];
  }
}

async function parse(t: Test, name: string, words: string[], code?: number) {
  const command = new Command(name)
    .argument('[case]')
    .option('--kernel <spec>', '', 'debian:6.1')
    .option('--pmem <kind>', '', (value, all: string[] = []) => [...all, value])
    .option('--jobs <n>')
    .option('--exclude <test>', '', (value, all: string[] = []) => [...all, value])
    .option('--partition')
    .option('--stack <target>')
    .option('--together');
  command.hook('preAction', async () => {
    t.equal(await applyConfiguration(command), code);
  });
  await command.action(() => {}).parseAsync(words, { from: 'user' });
  return command.opts();
}

t.test('options override the file, and the file overrides defaults', async (t) => {
  const text = 'kernel: debian:6.12\njobs: 3\npmem: nvdimm\nvariants: {v2: v2.patch}\n';
  await inPlace(t, text, {}, async (directory) => {
    t.match(await parse(t, 'run', []), {
      kernel: 'debian:6.12',
      jobs: '3',
      pmem: ['nvdimm'],
      configured: ['kernel', 'pmem', 'jobs'],
      variants: [{ name: 'v2', changes: [join(directory, 'v2.patch')] }],
    });
    const given = await parse(t, 'run', ['--kernel', 'debian:6.1']);
    t.match(given, { kernel: 'debian:6.1', jobs: '3' });
    const compared = await parse(t, 'compare', ['case.yaml']);
    t.match(compared, { kernel: 'debian:6.1', jobs: '3' }, 'a case file overrides it');
    t.equal(compared['pmem'], undefined);
    t.match(
      compared['open'],
      { kernel: 'debian:6.12', pmem: ['nvdimm'] },
      'for what the case file leaves out',
    );
    t.equal((await parse(t, 'fsck', []))['jobs'], undefined, 'not every command takes settings');
  });
});

t.test('the environment overrides the file', async (t) => {
  const variables = {
    DAXREPRO_KERNEL: 'debian:5.10',
    DAXREPRO_EXCLUDE: 'generic/1, generic/2',
    DAXREPRO_TOGETHER: 'Yes',
    DAXREPRO_PARTITION: 'true',
    DAXREPRO_STACK: 'stripe',
    DAXREPRO_PMEM: '',
  };
  await inPlace(t, 'kernel: debian:6.12\npmem: nvdimm\n', variables, async () => {
    t.match(await parse(t, 'run', []), {
      kernel: 'debian:5.10',
      pmem: ['nvdimm'],
      exclude: ['generic/1', 'generic/2'],
      together: true,
      ...{ partition: true, stack: 'stripe' },
    });
    t.match(await parse(t, 'run', ['--kernel', 'debian:6.1']), { kernel: 'debian:6.1' });
  });
});

const WRONG_VARIABLES: [name: string, value: string, said: RegExp][] = [
  ['DAXREPRO_STACK', 'dm', /DAXREPRO_STACK is "dm".*\n.*linear, stripe, .*unset DAXREPRO_STACK/],
  ['DAXREPRO_PMEM', 'optane', /DAXREPRO_PMEM is "optane".*\n.*memmap, nvdimm.*unset DAXREPRO_PMEM/],
  ['DAXREPRO_JOBS', 'many', /DAXREPRO_JOBS is "many".*\n.*1 or more/],
  ['DAXREPRO_TOGETHER', 'toString', /DAXREPRO_TOGETHER is "toString".*\n.*true or false/],
  ['DAXREPRO_KERNEL', 'debian:1', /DAXREPRO_KERNEL is "debian:1": Cannot use the kernel/],
  ['DAXREPRO_EXCLUDE', 'generic/1 "x', /DAXREPRO_EXCLUDE is .*This is not a test/],
];
for (const [name, value, said] of WRONG_VARIABLES) {
  t.test(`${name}=${value}`, async (t) => {
    const read = await readEnvironment({ [name]: value });
    t.match(read.ok ? '' : formatFailure(read.failure), said);
  });
}

t.test('suggests the name of a misspelt variable', async (t) => {
  const environment = { DAXREPRO_KERNL: '1', DAXREPRO_XFSTESTS: '/x', DAXREPRO_ENDURE: '1' };
  t.strictSame(misspelt(environment), [{ variable: 'DAXREPRO_KERNL', meant: 'DAXREPRO_KERNEL' }]);
});

t.test('shows the source of each value in daxrepro config', async (t) => {
  const text = 'kernel: debian:6.12\njobs: 3\nvariants: {v2: v2.patch}\n';
  await inPlace(t, text, { DAXREPRO_PMEM: 'nvdimm' }, async (directory) => {
    mkdirSync(join(directory, 'sub'));
    process.chdir(join(directory, 'sub'));
    writeFileSync('case.yaml', 'kernel: debian:5.10\n');
    const { origins, code } = await config(t, ['run', 'ext2', '--repeat', '3']);
    t.equal(code, 0);
    t.match(origins, {
      kernel: 'debian:6.12  (../daxrepro.yaml:1)',
      jobs: '3  (../daxrepro.yaml:2)',
      pmem: 'nvdimm  (DAXREPRO_PMEM)',
      repeat: '3  (flag)',
      suite: 'builtin  (default)',
      timeout: '120, or 15m for xfstests  (default)',
      'variant v2': '../v2.patch  (../daxrepro.yaml:3)',
      project: '../daxrepro.yaml',
    });
    const compared = await config(t, ['compare', 'case.yaml']);
    t.equal(compared.origins['kernel'], 'debian:5.10  (case.yaml:1)');
    t.equal((await config(t, ['fsck'])).code, 2);
    t.equal((await config(t, ['run', '--nope'])).code, 2);
    const { stdout } = await config(t, [], true);
    const json = JSON.parse(stdout);
    t.match(json, { schemaVersion: 1, command: 'run' });
    const kernel = json.settings.filter(({ name }: { name: string }) => name === 'kernel');
    t.match(kernel, [{ value: 'debian:6.12', source: 'file', place: { line: 1 } }]);
    writeFileSync('daxrepro.yaml', 'jobs: 0\n');
    t.match(await config(t, []), { code: 2, stderr: /daxrepro\.yaml:1:7/ });
  });
});

async function config(t: Test, words: string[], json = false) {
  const out = t.capture(process.stdout, 'write', () => true);
  const err = t.capture(process.stderr, 'write', () => true);
  const code = await configCommand(commandLine('1.0.0'), words, { json });
  const said = (captured: typeof out) =>
    captured()
      .map(({ args }) => args[0])
      .join('');
  const stdout = said(out);
  const stderr = said(err);
  out.restore();
  err.restore();
  const rows = stdout.split('\n').map((line) => line.split(/ {2,}(.*)/));
  return { code, stdout, stderr, origins: Object.fromEntries(json ? [] : rows) };
}
