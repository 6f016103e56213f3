import t from 'tap';
import { seriesPrefixes } from '../../cli/variant/series.js';
import { failureOf, INODE, mail, makeKernel, patchOf, read } from './rig.js';

const change = (line: number) => patchOf('fs/ext2/inode.c', line, `patched ${line};`);
const COVER = mail('[PATCH v2 0/3] A series', '', 'About it.');
const ONE = mail('[PATCH v2 1/3] ext2: one', change(2));
const TWO = mail('[PATCH v2 2/3] ext2: two — ö', change(10));
const THREE = mail('[PATCH v2 3/3] ext2: three', change(18));
const REPLY = mail('Re: [PATCH v2 2/3] ext2: two', '> diff --git a/x b/x\n', 'Why?');

const PATCHED = [2, 10, 18].reduce(
  (text, line) => text.replace(`line ${line};\n`, `patched ${line};\n`),
  INODE,
);

t.test('applies mails in order, and skips covers and replies', async (t) => {
  const { apply, file } = makeKernel(t);
  const series = file('series.mbox', COVER + ONE + TWO + REPLY + THREE);
  t.equal(read(await apply([series]), 'fs/ext2/inode.c'), PATCHED);
  const shuffled = file('shuffled.mbox', TWO + THREE + ONE);
  t.equal(read(await apply([shuffled]), 'fs/ext2/inode.c'), PATCHED);
  t.strictSame(
    await seriesPrefixes(shuffled),
    {
      ok: true,
      value: ['1/3 ext2: one', '2/3 ext2: two — ö', '3/3 ext2: three'].map((name, index) => ({
        name,
        changes: [shuffled],
        steps: index + 1,
      })),
    },
    'follows the numbers in the subjects',
  );
  const crlf = file('crlf.mbox', (ONE + TWO + THREE).replaceAll('\n', '\r\n'));
  t.equal(read(await apply([crlf]), 'fs/ext2/inode.c'), PATCHED);
});

t.test('takes prefixes of a mailbox, and of several files', async (t) => {
  const { apply, file } = makeKernel(t);
  const series = file('series.mbox', COVER + ONE + TWO + THREE);
  const last = file('last.patch', patchOf('fs/ext2/super.c', 5, 'last;'));
  const prefixes = await seriesPrefixes(series, last);
  if (!prefixes.ok) return t.fail(prefixes.failure.message);
  t.strictSame(
    prefixes.value.map(({ name }) => name),
    ['1/4 ext2: one', '2/4 ext2: two — ö', '3/4 ext2: three', '4/4 last.patch'],
  );
  const second = await apply([series, last], 2);
  t.match(read(second, 'fs/ext2/inode.c'), 'patched 10;');
  t.notMatch(read(second, 'fs/ext2/inode.c'), 'patched 18;');
  t.match(read(await apply([series, last], 4), 'fs/ext2/super.c'), 'last;');
});

t.test('names a broken mail', async (t) => {
  const { apply, file, entries } = makeKernel(t);
  const cases: [content: string, message: RegExp | string][] = [
    [
      ONE + mail('[PATCH v2 2/3] ext2: two', '') + THREE,
      'Mail 2 (“[PATCH v2 2/3] ext2: two”) is a patch by its subject, but contains none',
    ],
    [ONE + TWO.replace(/^From 01.*\n/, '') + THREE, /^Mail 1 .* runs into the next mail/],
    [ONE + THREE, 'The series is missing patch 2/3'],
    [ONE + TWO.slice(0, TWO.indexOf(' line 11;')) + THREE, /mail 2 .* is broken/],
    [ONE + TWO.replace(/^Subject: .*\n/m, ''), /^Mail 2 has no subject/],
    [COVER, 'The mailbox has no patch in any of its mails'],
  ];
  for (const [content, message] of cases) {
    const series = file('series.mbox', content);
    const failure = failureOf(await apply([series]));
    t.match(failure, { kind: 'unreadable', message, place: { file: series } });
  }
  const wrong = mail('[PATCH v2 2/3] ext2: two', patchOf('fs/ext2/inode.c', 10, 'x;', 'y;'));
  t.match(failureOf(await apply([file('wrong.mbox', ONE + wrong)])), {
    kind: 'change-rejected',
    message: /mail 2 .* does not apply .* fs\/ext2\/inode.c: @@ -9,3 \+9,3 @@/,
  });
  t.strictSame(entries(), []);
});
