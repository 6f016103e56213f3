import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readCaseFile } from '../../cli/compare/case-file.js';
import { formatFailure } from '../../cli/outcome.js';

const top = t.testdir({ 'v2.patch': '', 'v3.patch': '', folder: {} });
const file = join(top, 'case.yaml');

/** A valid case with these lines changed. */
const lines = (changes: Record<string, string | undefined> = {}) => {
  const all: Record<string, string | undefined> = {
    kernel: 'kernel: debian:6.1',
    variants: 'variants: {base: [], v2: v2.patch}',
    filesystems: 'filesystems: [ext2, xfs]',
    tests: 'tests: [generic/002]',
    ...changes,
  };
  return Object.values(all).filter((line) => line !== undefined);
};

const read = (text: string | string[], overrides = {}) => {
  writeFileSync(file, typeof text === 'string' ? text : `${text.join('\n')}\n`);
  return readCaseFile(file, overrides);
};

t.test('reads a complete case', async (t) => {
  const outcome = await read([
    'title: A case',
    'kernel: debian:6.1',
    'variants:',
    '  base:',
    '  v2: v2.patch',
    '  v3: [v2.patch, ./v3.patch]',
    'filesystems: [ext2, xfs]',
    'tests: dax/symlinks',
    'groups: [links]',
    'pmem: [memmap, nvdimm]',
    'power-cut: [false, true]',
    'timeout: 90',
    'size: {xfs: 512M}',
    'mount-opts: nouid32',
    'expect:',
    '  default: pass',
    '  cells:',
    '    - {variant: [v2, v3], fs: ext2, verdict: fail, signature: "e2fsck:a-b"}',
    '    - {variant: v3, power-cut: true, verdict: fail, signature: "power-cut:a"}',
  ]);
  if (!outcome.ok) throw new Error(formatFailure(outcome.failure));
  t.match(outcome.value, {
    file,
    title: 'A case',
    kernel: 'debian:6.1',
    variants: [
      { name: 'base', changes: { length: 0 } },
      { name: 'v2', changes: [join(top, 'v2.patch')] },
      { name: 'v3', changes: [join(top, 'v2.patch'), join(top, 'v3.patch')] },
    ],
    fileSystems: ['ext2', 'xfs'],
    pmem: ['memmap', 'nvdimm'],
    powerCut: [false, true],
    options: {
      timeout: '90',
      size: { xfs: '512M' },
      mountOpts: { ext2: 'nouid32', ext4: 'nouid32', xfs: 'nouid32' },
    },
    expectations: [
      { expected: { verdict: 'pass' } },
      {
        cells: { variants: ['v2', 'v3'], fileSystems: ['ext2'] },
        expected: { verdict: 'fail', signature: 'e2fsck:a-b' },
      },
      {
        cells: { variants: ['v3'], powerCut: true },
        expected: { verdict: 'fail', signature: 'power-cut:a' },
      },
    ],
  });
  t.strictSame(outcome.value.expectations[0]?.cells, {});
  t.equal(outcome.value.tests[0], 'dax/symlinks', 'tests before groups');
  t.ok(outcome.value.tests.includes('generic/002'));
});

t.test('fills in what is left out', async (t) => {
  const outcome = await read(lines({ kernel: undefined, expect: 'expect: pass' }), {
    kernel: ['debian:5.10'],
    timeout: '5m',
  });
  t.match(outcome, {
    ok: true,
    value: {
      title: null,
      kernel: 'debian:5.10',
      pmem: ['memmap'],
      powerCut: [false],
      options: { timeout: '5m' },
      expectations: [{ expected: { verdict: 'pass' } }],
    },
  });
  t.strictSame(outcome.ok && outcome.value.expectations[0]?.cells, {});
  t.match(await read(lines({ kernel: undefined })), { value: { kernel: 'debian:6.1' } });
});

t.test('takes a stack without DAX only with control', async (t) => {
  const stack = { pmem: 'pmem: none', stack: 'stack: flakey', partition: 'partition: true' };
  t.match(await read(lines({ ...stack, control: 'control: true' })), {
    value: { options: { stack: 'flakey', partition: true, control: true } },
  });
  const refused = await read(lines(stack));
  t.match(refused, { ok: false, failure: { message: /^stack flakey removes DAX/ } });
  t.match(refused, { failure: { place: { line: 6 } } });
  writeFileSync(file, lines().join('\n'));
  t.match(
    await readCaseFile(file, {}, { stack: 'linear', partition: true }),
    { value: { options: { stack: 'linear', partition: true } } },
    'the project decides what the case leaves open',
  );
});

t.test('takes what is poisoned, as a text, a number or a list', async (t) => {
  for (const [written, poison] of [
    ['64M+4K', ['64M+4K']],
    ['1048576', ['1048576']],
    ['[64M, 0+1M]', ['64M', '0+1M']],
  ] as const) {
    t.match(await read(lines({ poison: `poison: ${written}` })), {
      value: { options: { poison } },
    });
  }
  t.match(await read(lines({ poison: 'poison: [64M, x]' })), {
    failure: { message: /^poison "x" is not a range of bytes/, place: { line: 5 } },
  });
});

t.test('reports each mistake with its place and a remedy', async (t) => {
  const cell = (text: string) => ({ expect: 'expect:', cells: `  cells: [{${text}}]` });
  const wrong: [place: string, message: RegExp, remedy: RegExp, text: string | string[]][] = [
    // The text as YAML.
    ['1:9', /This is not valid YAML/, /Fix it/, 'kernel: a\n    b: [\n'],
    ['2:1', /Duplicate key/, /Remove one/, 'kernel: debian:6.1\nkernel: debian:5.10\n'],
    ['1:28', /Duplicate key/, /Remove one/, 'variants: {base: [], v2: , base: []}'],
    ['2:1', /indented with a tab/, /spaces/, 'variants:\n\tbase: []\n'],
    ['2:1', /second YAML document/, /one file/, 'a: 1\n---\nb: 2\n'],
    ['1:1', /The case is empty/, /variants/, ''],
    ['1:1', /The case cannot be a list/, /variants/, '- 1\n'],
    // Its shape.
    ['5:1', /Unknown key "test"/, /Did you mean tests\?/, lines({ test: 'test: generic/002' })],
    ['2:1', /Unknown key "variant"/, /variants/, lines({ variants: 'variant: {base: []}' })],
    ['1:1', /"variants" is missing/, /base: \[\]/, lines({ variants: undefined })],
    ['2:11', /No variant is named/, /base: \[\]/, lines({ variants: 'variants: {}' })],
    ['2:11', /"variants" cannot be a list/, /names/, lines({ variants: 'variants: [a]' })],
    [
      '2:12',
      /"a b" is not a valid variant name/,
      /letters, digits/,
      lines({ variants: 'variants: {a b: []}' }),
    ],
    ['2:16', /"v2" cannot be 5/, /patches/, lines({ variants: 'variants: {v2: 5}' })],
    ['1:1', /"kernel" is empty/, /debian:6\.1/, lines({ kernel: 'kernel:' })],
    [
      '3:20',
      /"filesystems" cannot be "ext5"/,
      /ext2, ext4, xfs/,
      lines({ filesystems: 'filesystems: [xfs, ext5]' }),
    ],
    ['3:14', /cannot be an empty list/, /ext2/, lines({ filesystems: 'filesystems: []' })],
    ['5:7', /"ten" is not a size/, /256M/, lines({ size: 'size: ten' })],
    ['5:13', /too small for xfs/, /300M/, lines({ size: 'size: {xfs: 16M}' })],
    ['5:8', /Unknown key "ext5"/, /ext2/, lines({ size: 'size: {ext5: 16M}' })],
    ['5:10', /"soon" is not a time/, /5m/, lines({ timeout: 'timeout: soon' })],
    ['5:10', /"control" cannot be "no"/, /true or false/, lines({ control: 'control: "no"' })],
    ['5:12', /"power-cut" cannot be "yes"/, /true or false/, lines({ size: 'power-cut: "yes"' })],
    ['5:19', /true is listed twice/, /Leave/, lines({ size: 'power-cut: [true, true]' })],
    // What it names.
    ['1:9', /debian:6\.x/, /debian:6\.1/, lines({ kernel: 'kernel: debian:6.x' })],
    [
      '2:16',
      /nowhere\.patch, a change of v2, does not exist/,
      /relative/,
      lines({ variants: 'variants: {v2: nowhere.patch}' }),
    ],
    [
      '2:27',
      /folder, a change of v2, is not a file/,
      /patch/,
      lines({ variants: 'variants: {v2: [v2.patch, folder]}' }),
    ],
    ['4:9', /no built-in test "generic\/003"/, /list/, lines({ tests: 'tests: [generic/003]' })],
    ['4:9', /no built-in test "dax"/, /group/, lines({ tests: 'tests: [dax]' })],
    ['4:10', /group "lniks"/, /links/, lines({ tests: 'groups: [lniks]' })],
    ['1:1', /No test is named/, /generic\/002/, lines({ tests: undefined })],
    [
      '4:22',
      /generic\/002 is listed twice/,
      /Leave/,
      lines({ tests: 'tests: [generic/002, generic/002]' }),
    ],
    ['5:8', /"nvdim"/, /nvdimm/, lines({ pmem: 'pmem: [nvdim]' })],
    // What is expected.
    ['5:9', /"default" cannot be "pas"/, /pass, notrun/, lines({ expect: 'expect: pas' })],
    ['6:21', /no variant "v3"/, /v2/, lines(cell('variant: v3, verdict: fail'))],
    ['6:16', /no file system "ext4"/, /ext2, xfs/, lines(cell('fs: ext4, verdict: fail'))],
    ['6:18', /no test "dax\/acl"/, /generic\/002/, lines(cell('test: dax/acl, verdict: fail'))],
    ['6:18', /no pmem kind "nvdimm"/, /memmap/, lines(cell('pmem: nvdimm, verdict: fail'))],
    [
      '6:23',
      /no cell with power cuts/,
      /\[false, true\]/,
      lines(cell('power-cut: true, verdict: fail')),
    ],
    ['6:11', /"verdict" is missing/, /pass, notrun/, lines(cell('fs: ext2'))],
    ['6:21', /"verdict" cannot be "fails"/, /fail/, lines(cell('verdict: fails'))],
    [
      '6:27',
      /Unknown key "signatur"/,
      /Did you mean signature/,
      lines(cell('verdict: fail, signatur: x')),
    ],
    [
      '6:38',
      /"signature" cannot be "directory corrupted"/,
      /begins with/,
      lines(cell('verdict: fail, signature: directory corrupted')),
    ],
    ['6:38', /to be pass/, /expect fail/, lines(cell('verdict: pass, signature: "e2fsck:x"'))],
    [
      '6:11',
      /applies to no cell/,
      /more specific one to the end/,
      lines(cell('fs: ext2, verdict: fail}, {verdict: pass')),
    ],
  ];
  for (const [place, message, remedy, text] of wrong) {
    const outcome = await read(text);
    const name = `${place} ${message}`;
    if (outcome.ok) {
      t.fail(`taken: ${name}`);
      continue;
    }
    const { failure } = outcome;
    t.equal(failure.kind, 'usage', name);
    t.match(failure.message, message, name);
    t.match(failure.remedy, remedy, name);
    t.equal(`${failure.place?.line}:${failure.place?.column}`, place, formatFailure(failure));
    t.equal(failure.place?.file, file);
  }
});

t.test('reports a file that is missing, or a directory', async (t) => {
  t.match(await readCaseFile(join(top, 'no.yaml')), {
    failure: { kind: 'unreadable', message: 'The case does not exist' },
  });
  t.match(await readCaseFile(top), { failure: { kind: 'unreadable', message: /is not a file/ } });
});

t.test('accepts the example cases', async (t) => {
  const cases = fileURLToPath(new URL('../../fixtures/cases', import.meta.url));
  const names = readdirSync(cases, { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((one) => one.endsWith('.yaml'))) {
    const outcome = await readCaseFile(join(cases, name));
    t.ok(outcome.ok, outcome.ok ? '' : formatFailure(outcome.failure));
  }
});

t.test('accepts any test id of an xfstests tree', async (t) => {
  const tree = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));
  const case_ = (suite: string, tests = 'tests: [generic/003, generic/016]') =>
    lines({ suite: `suite: ${suite}`, tests });
  const named = await read(case_(tree));
  t.match(named, { value: { suite: tree, tests: ['generic/003', 'generic/016'] } });
  const relative = await read(case_(`./${join('..', basename(top), 'tree')}`));
  t.match(relative, { ok: false, failure: { place: { line: 5, column: 8 } } });
  symlinkSync(tree, join(top, 'tree'));
  t.match(
    await read(case_('tree')),
    { value: { suite: join(top, 'tree') } },
    'relative to the case file',
  );
  const group = await read(case_(tree, 'groups: dangerous'));
  t.match(group, { value: { tests: ['generic/008'] } });
  const unknown = await read(case_(tree, 'tests: [generic/003, generic/777]'));
  t.match(unknown, {
    ok: false,
    failure: { message: /no test "generic\/777"/, place: { line: 4 } },
  });
  t.match(await read(lines({ tests: 'tests: [generic/003]' }), { suite: tree }), {
    value: { suite: tree, tests: ['generic/003'] },
  });
  t.match(
    await read(case_(tree), { suite: 'builtin' }),
    { ok: false },
    'the option overrides the file',
  );
});
