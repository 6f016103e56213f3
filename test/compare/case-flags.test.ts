import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type CompareOptions, requestedCase } from '../../cli/compare/case-flags.js';

const SERIES = [1, 2]
  .map((n) =>
    [
      `From ${String(n).repeat(40)} Mon Sep 17 00:00:00 2001`,
      'From: A <a@example.org>',
      `Date: Mon, ${n} Feb 2016 00:00:00 +0000`,
      `Subject: [PATCH ${n}/2] ext2: change ${n}`,
      '',
      '---',
      ' fs/ext2/inode.c | 1 +',
      ' 1 file changed, 1 insertion(+)',
      '',
      'diff --git a/fs/ext2/inode.c b/fs/ext2/inode.c',
      '--- a/fs/ext2/inode.c',
      '+++ b/fs/ext2/inode.c',
      `@@ -${n},1 +${n},2 @@`,
      ' line',
      `+added ${n}`,
      '-- ',
      '2.39.0',
      '',
      '',
    ].join('\n'),
  )
  .join('');

const top = t.testdir({
  'a.patch': 'a',
  'b.cocci': 'b',
  'series.mbox': SERIES,
  'case.yaml': 'variants: {base: [], a: a.patch}\nfilesystems: xfs\ntests: generic/002\n',
});
const at = (name: string) => join(top, name);
const flags = (more: Partial<CompareOptions> = {}): CompareOptions => ({
  repeat: '1',
  accel: 'tcg',
  fs: ['ext2'],
  test: ['generic/002'],
  variant: [`a=${at('a.patch')}`],
  ...more,
});

t.test('makes a comparison from flags', async (t) => {
  const outcome = await requestedCase(
    undefined,
    flags({
      fs: ['ext2', 'ext4,ext2'],
      variant: [`a=${at('a.patch')}`, `b=${at('a.patch')},${at('b.cocci')}`],
      pmem: ['nvdimm', 'none'],
      mkfsOpts: '-I 256',
      kernel: ['host'],
      control: true,
    }),
  );
  t.match(outcome, {
    ok: true,
    value: {
      file: null,
      kernel: 'host',
      variants: [
        { name: 'base', changes: { length: 0 } },
        { name: 'a', changes: [at('a.patch')] },
        { name: 'b', changes: [at('a.patch'), at('b.cocci')] },
      ],
      fileSystems: ['ext2', 'ext4'],
      tests: ['generic/002'],
      pmem: ['nvdimm', 'none'],
      options: { mkfsOpts: { ext2: '-I 256', ext4: '-I 256' }, control: true },
      expectations: { length: 0 },
    },
  });
});

t.test('reads --base', async (t) => {
  const bases: [string | true, object][] = [
    [true, { name: 'base', changes: [] }],
    ['v6.1', { name: 'v6.1', changes: [] }],
    [`v1=${at('a.patch')}`, { name: 'v1', changes: [at('a.patch')] }],
  ];
  for (const [base, first] of bases) {
    const outcome = await requestedCase(undefined, flags({ base }));
    t.strictSame(outcome.ok && outcome.value.variants[0], first);
  }
});

t.test('makes a variant of each prefix of a series', async (t) => {
  const { variant: _, ...none } = flags({ cumulative: at('series.mbox') });
  const outcome = await requestedCase(undefined, none);
  t.match(outcome, {
    ok: true,
    value: {
      variants: [
        { name: 'base' },
        { name: /^1\/2 /, changes: [at('series.mbox')], steps: 1 },
        { name: /^2\/2 /, changes: [at('series.mbox')], steps: 2 },
      ],
    },
  });
  const onTop = await requestedCase(undefined, { ...none, base: `v1=${at('b.cocci')}` });
  t.match(onTop, {
    ok: true,
    value: {
      variants: [
        { name: 'v1', changes: [at('b.cocci')] },
        { changes: [at('b.cocci'), at('series.mbox')], steps: 2 },
        { changes: [at('b.cocci'), at('series.mbox')], steps: 3 },
      ],
    },
  });
});

t.test('lets some flags override a case file, and rejects others', async (t) => {
  const none = { repeat: '1', accel: 'tcg' };
  const outcome = await requestedCase(at('case.yaml'), { ...none, kernel: ['debian:6.12'] });
  t.match(outcome, { ok: true, value: { kernel: 'debian:6.12', fileSystems: ['xfs'] } });
  for (const more of [{ fs: ['ext2'] }, { variant: ['a=b'] }, { pmem: ['none'] }, { size: '1G' }]) {
    const refused = await requestedCase(at('case.yaml'), { ...none, ...more });
    t.match(refused, { failure: { kind: 'usage', message: /the file says what to compare/ } });
  }
});

t.test('applies --power-cut to a case file that does not mention power cuts', async (t) => {
  const none = { repeat: '1', accel: 'tcg' };
  const text = 'variants: {base: []}\nfilesystems: xfs\ntests: power-cut/append\n';
  writeFileSync(at('plain.yaml'), text);
  writeFileSync(at('both.yaml'), `${text}power-cut: [false, true]\n`);
  const cuts = async (name: string, powerCut?: true) => {
    const asked = await requestedCase(at(name), { ...none, ...(powerCut ? { powerCut } : {}) });
    return asked.ok && asked.value.powerCut;
  };
  t.strictSame(await cuts('plain.yaml'), [false]);
  t.strictSame(await cuts('plain.yaml', true), [true]);
  t.strictSame(await cuts('both.yaml', true), [false, true]);
  const asked = await requestedCase(undefined, flags({ powerCut: true }));
  t.match(asked, { value: { powerCut: [true] } });
});

t.test('rejects flags that are wrong', async (t) => {
  const { variant: _, ...none } = flags();
  const { fs: __, ...noFs } = flags();
  const { test: ___, ...noTest } = flags();
  const wrong: [RegExp, RegExp, CompareOptions][] = [
    [/nothing to compare/, /--variant v2=/, none],
    [/No file system/, /ext2, ext4, xfs/, noFs],
    [/No test/, /generic\/002/, noTest],
    [/--fs "ext3"/, /ext2/, flags({ fs: ['ext3'] })],
    [/--pmem "disk"/, /memmap/, flags({ pmem: ['disk'] })],
    [/"generic\/003"/, /list/, flags({ test: ['generic/003'] })],
    [/"quik"/, /quick/, flags({ group: ['quik'] })],
    [/--variant "a.patch"/, /v2=v2\.patch/, flags({ variant: ['a.patch'] })],
    [/--variant "v2="/, /v2=v2\.patch/, flags({ variant: ['v2='] })],
    [/--variant "a=b,"/, /NAME=FILE/, flags({ variant: ['a=b,'] })],
    [/no\.patch, a change of v2, does not exist/, /\.cocci/, flags({ variant: ['v2=no.patch'] })],
    [
      /Two variants are called a/,
      /different name/,
      flags({ variant: [1, 2].map(() => `a=${at('a.patch')}`) }),
    ],
    [
      /Two variants are called base/,
      /different name/,
      flags({ variant: [`base=${at('a.patch')}`] }),
    ],
    [/--json and --mail/, /one of them/, flags({ json: true, mail: true })],
  ];
  for (const [message, remedy, options] of wrong) {
    t.match(await requestedCase(undefined, options), {
      ok: false,
      failure: { kind: 'usage', message, remedy },
    });
  }
});
