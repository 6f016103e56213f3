import { execFileSync } from 'node:child_process';
import t from 'tap';
import { formatMail } from '../../cli/report/compare-mail.js';
import { formatTable } from '../../cli/report/compare-table.js';
import { formatComparison } from '../../cli/report/compare-text.js';
import { formatCells } from '../../cli/report/compare-words.js';
import { wrapCommand, wrapText } from '../../cli/report/wrap.js';
import type { CompareUnit } from '../../cli/results/compare-result.js';
import { CASE, comparison, EARLY_RETURN, FAIL } from '../util/comparisons.js';

const table = (result: Parameters<typeof formatTable>[0], width = 80) =>
  formatTable(result, { width, colour: false }).join('\n');
const mail = (result: Parameters<typeof formatMail>[0]) => formatMail(result, { from: '/home/me' });
const named = (...names: string[]) => ({ variants: names.map((name) => ({ name, changes: [] })) });

const NASTY = 'x\x1b[2J\x1b]0;t\x07\r\u202e\x9b\nSubject: forged';
const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/;

t.test('draws the table', (t) => {
  t.equal(
    table(comparison(EARLY_RETURN)),
    [
      '               base  early-return',
      'ext2',
      '  generic/002  pass  fail',
      'xfs',
      '  generic/002  pass  pass',
    ].join('\n'),
  );
  t.end();
});

t.test('shows attempts, kinds of pmem and unexpected verdicts in the table', (t) => {
  const result = comparison(
    (unit) => {
      if (unit.variant === 'base') return undefined;
      if (unit.pmem === 'nvdimm') return { verdict: 'invalid', reason: 'no DAX' };
      return unit.attempt === 1 ? FAIL : undefined;
    },
    {
      repeat: 3,
      case: { fileSystems: ['ext2'], pmem: ['memmap', 'nvdimm'] },
      expect: () => ({ verdict: 'pass' }),
    },
  );
  t.equal(
    table(result),
    [
      '                      base      early-return',
      'ext2',
      '  generic/002 memmap  pass 3/3  fail 1/3 !',
      '  generic/002 nvdimm  pass 3/3  invalid 3/3 !',
    ].join('\n'),
  );
  t.end();
});

t.test('mentions a test that applies to no variant only once', (t) => {
  const only = { case: { fileSystems: ['ext2' as const] } };
  const everywhere = comparison(() => ({ verdict: 'notrun', reason: 'no fallocate' }), only);
  for (const text of [
    formatComparison(everywhere, { width: 80, colour: false }),
    mail(everywhere),
  ]) {
    t.equal(text.split('no fallocate').length, 2, text);
    t.match(text, 'ext2 generic/002, every variant');
  }
  const apart = comparison(
    ({ variant }) => ({ verdict: 'notrun', reason: `not with ${variant}` }),
    only,
  );
  t.match(
    mail(apart),
    /ext2 generic\/002, base: notrun[\s\S]*ext2 generic\/002, early-return: notrun/,
  );
  const unexpected = comparison(() => ({ verdict: 'notrun', reason: 'no fallocate' }), {
    ...only,
    expect: ({ variant }) => (variant === 'base' ? null : { verdict: 'fail' }),
  });
  t.equal(mail(unexpected).split('no fallocate').length, 3);
  t.end();
});

t.test('separates rows with and without power cuts', (t) => {
  const spoil = (unit: CompareUnit) =>
    unit.powerCut && unit.variant !== 'base' ? FAIL : undefined;
  const both = { fileSystems: ['ext2' as const], tests: ['a', 'b'], powerCut: [false, true] };
  const result = comparison(spoil, { case: both });
  t.equal(
    table(result),
    [
      '                     base  early-return',
      'ext2',
      '  a                  pass  pass',
      '    with power cuts  pass  fail',
      '  b                  pass  pass',
      '    with power cuts  pass  fail',
    ].join('\n'),
  );
  const text = formatComparison(result, { width: 100, colour: false });
  t.match(text, /^FAIL {5}ext2 a, with power cuts, early-return$/m);
  t.match(text, /^ {2}early-return, ext2 a with power cuts: pass -> fail$/m);
  t.match(text, /pmem: memmap, with and without power cuts/);
  t.match(mail(result), /^ {2}early-return, ext2 b with power cuts: pass -> fail$/m);
  t.equal(result.differences.length, 2);
  // All rows have power cuts, so only the head says so.
  const cut = comparison(spoil, { case: { ...both, powerCut: [true] } });
  t.match(table(cut), /\n {2}a {3}pass {2}fail\n/);
  t.match(formatComparison(cut, { width: 100, colour: false }), /pmem: memmap, with power cuts/);
  // The row without power cuts is missing.
  const rows = result.case.tests.map((test) => ({
    ...{ fs: 'ext2' as const, test, pmem: 'memmap' as const, powerCut: test === 'b' },
  }));
  const units = result.units.filter(({ test, powerCut }) => (test === 'b') === Boolean(powerCut));
  t.match(
    table({ case: { ...result.case, rows }, units }),
    /\n {2}b with power cuts {2}pass {2}fail$/,
  );
  t.end();
});

t.test('shows cells that did not run', (t) => {
  const { units, ...others } = comparison();
  t.equal(
    table({ ...others, units: units.slice(0, 3) }),
    [
      '               base  early-return',
      'ext2',
      '  generic/002  pass  pass',
      'xfs',
      '  generic/002  pass  -',
    ].join('\n'),
  );
  t.match(table({ ...others, units: [] }), /generic\/002 {2}- {5}-/);
  t.end();
});

t.test('breaks long names, and then splits the table', (t) => {
  const result = comparison(undefined, {
    case: {
      fileSystems: ['ext2'],
      ...named('base', 'early-return', 'page-writeback-too', 'regular-files-only'),
    },
  });
  t.equal(
    table(result, 60),
    [
      '                                   page-          regular-',
      '               base  early-return  writeback-too  files-only',
      'ext2',
      '  generic/002  pass  pass          pass           pass',
    ].join('\n'),
  );
  t.equal(
    table(result, 30),
    [
      '                     early-',
      '               base  return',
      'ext2',
      '  generic/002  pass  pass',
      '',
      '               page-',
      '               writebac',
      '               k-too',
      'ext2',
      '  generic/002  pass',
      '',
      '               regular-',
      '               files-',
      '               only',
      'ext2',
      '  generic/002  pass',
    ].join('\n'),
  );
  t.end();
});

t.test('prints the same text with and without colours', (t) => {
  const result = comparison(EARLY_RETURN, { expect: () => ({ verdict: 'pass' }) });
  const painted = formatTable(result, { width: 80, colour: true }).join('\n');
  t.match(painted, '\x1b[32mpass\x1b[0m');
  t.match(painted, '\x1b[1;31mfail !\x1b[0m', 'what is not as expected stands out');
  t.equal(painted.replaceAll(/\x1b\[[\d;]*m/g, ''), table(result));
  t.end();
});

t.test('formats a comparison for a terminal', (t) => {
  const result = comparison(EARLY_RETURN, { expect: () => ({ verdict: 'pass' }) });
  t.equal(
    formatComparison(result, { width: 100, colour: false }),
    `kernel   6.1.0-56-amd64 from debian:6.1, tcg, pmem: memmap
DAX ext2 proven in 2 of 2 units by mount option and statx of a fresh file; driver ext2, 1 module
         built from source; mounted rw,dax
DAX xfs  proven in 2 of 2 units by mount option and statx of a fresh file; driver ext2, 1 module
         built from source; mounted rw,dax

               base  early-return
ext2
  generic/002  pass  fail !
xfs
  generic/002  pass  pass

! not as expected

FAIL     ext2 generic/002, early-return (expected: pass)
         reason   e2fsck: Directory inode 12, block #0, offset 0: directory corrupted
         finding  e2fsck /dev/pmem0 pass 2 (corruption): Directory inode 12, block #0, offset 0:
                  directory corrupted
                  e2fsck:directory-inode-block-offset-directory-corrupted
         replay   daxrepro run ext2 generic/002 --patch /home/me/early-return.cocci

Compared with base
  early-return, ext2 generic/002: pass -> fail
    appeared e2fsck:directory-inode-block-offset-directory-corrupted (corruption)

4 units in 4.0 s: 3 pass, 1 fail; 1 not as expected
files    /runs/1
report   daxrepro report /runs/1 --output report.html`,
  );
  t.end();
});

t.test('shows why a change does not apply', (t) => {
  const result = comparison(({ variant }) =>
    variant === 'base'
      ? undefined
      : {
          verdict: 'error',
          reason: 'a.patch does not apply',
          failure: {
            kind: 'build-failed',
            message: 'a.patch does not apply',
            remedy: 'Mend the patch',
            detail: `@@ -1,2 +1,3 @@\n ${NASTY}`,
          },
        },
  );
  const text = formatComparison(result, { width: 100, colour: false });
  t.match(text, '         | @@ -1,2 +1,3 @@\n         |  x\\x1b[2J');
  t.match(text, /next {5}Mend the patch/);
  t.match(text, /findings cannot be compared/);
  t.match(text, /2 pass, 2 error; no expectations given/);
  t.match(mail(result), '  | @@ -1,2 +1,3 @@');
  t.end();
});

t.test('formats a comparison as mail', (t) => {
  const result = comparison(EARLY_RETURN, {
    repeat: 2,
    case: { title: 'DAX: write-back in ->writepages' },
    expect: (unit) =>
      EARLY_RETURN(unit)
        ? { verdict: 'fail', signature: FAIL.findings?.[0]?.signature as string }
        : { verdict: 'pass' },
  });
  t.equal(
    mail(result),
    `DAX: write-back in ->writepages

Kernel 6.1.0-56-amd64 from debian:6.1, e2fsprogs 1.47.0, xfsprogs 6.1.0
On tcg, pmem: memmap, QEMU 7.2.22 (Debian), builtin 1, daxrepro 0.1.0
DAX proven in 8 of 8 units
  early-return: early-return.cocci

               base      early-return
ext2
  generic/002  pass 2/2  fail 2/2
xfs
  generic/002  pass 2/2  pass 2/2

ext2 generic/002, early-return: fail (as expected)
  e2fsck: Directory inode 12, block #0, offset 0: directory corrupted
  * 2 times, first: e2fsck /dev/pmem0 pass 2 (corruption): Directory in…
    e2fsck:directory-inode-block-offset-directory-corrupted
  To run it again:
    daxrepro run ext2 generic/002 --patch early-return.cocci

Compared with base:
  early-return, ext2 generic/002: pass -> fail
    appeared e2fsck:directory-inode-block-offset-directory-corrupted
             (corruption, in 2 of 2 attempts)

8 units in 4.0 s: 6 pass, 2 fail; every expectation held`,
  );
  t.end();
});

t.test('a mail has at most five lines about a cell', (t) => {
  const message = 'a long message '.repeat(20);
  const result = comparison(({ variant }) =>
    variant === 'base'
      ? undefined
      : {
          ...FAIL,
          reason: message,
          findings: [1, 2, 3].map((n) => ({
            ...{ tool: 'e2fsck' as const, severity: 'corruption' as const },
            ...{ message: `${n} ${message}`, signature: `e2fsck:kind-${n}` },
          })),
          failure: { kind: 'build-failed', message, remedy: 'r', detail: 'a\nb\nc\nd\ne' },
        },
  );
  const [, about = ''] =
    /^(ext2 generic\/002, early-return:[\s\S]*?)\n {2}To run/m.exec(mail(result)) ?? [];
  t.equal(about.split('\n').length, 5, about);
  t.match(about, /\n {2}\| c\n {2}\| d\n {2}\| e$/, 'the end of the hunk or of the compiler');
  t.end();
});

/** Various comparisons with long and hostile texts everywhere. */
function* nastyComparisons() {
  const long = 'a-word-that-goes-on-'.repeat(9);
  for (const words of [
    NASTY,
    long,
    long.replaceAll('-', ''),
    `${long} ${NASTY}`,
    'ü'.repeat(200),
  ]) {
    for (const repeat of [1, 12]) {
      yield comparison(
        ({ variant }) =>
          variant === 'base'
            ? { dax: { ...comparison().units[0]?.dax, mountOptions: words } as never }
            : {
                verdict: 'fail',
                reason: words,
                findings: [1, 2].map((n) => ({
                  tool: 'e2fsck' as const,
                  message: `${n} ${words}`,
                  signature: `e2fsck:${long}${n}`,
                  severity: 'corruption' as const,
                })),
                failure: { kind: 'build-failed', message: words, remedy: words, detail: words },
                replay: `daxrepro run ext2 generic/002 --patch '/home/${words} a' --size 5`,
              },
        {
          repeat,
          case: {
            title: words,
            variants: [
              { name: 'base', changes: [] },
              { name: words, changes: [`/p/${words}`], steps: 1 },
              ...Array.from({ length: 8 }, (_, n) => ({ name: `p${n} ${words}`, changes: [] })),
            ],
          },
          expect: () => ({ verdict: 'pass' }),
        },
      );
    }
  }
}

t.test('keeps mails within 72 columns, and escapes text from guests', (t) => {
  for (const result of nastyComparisons()) {
    const text = mail(result);
    for (const line of text.split('\n')) {
      // A blank before a line that would mean something is the 73rd.
      if ([...line].length > 73 || RAW.test(line)) t.fail(JSON.stringify(line));
    }
    t.notMatch(text, /^Subject: forged/m);
    const shown = formatComparison(result, { width: 60, colour: false });
    t.notOk(RAW.test(shown));
    t.notMatch(shown, /^Subject: forged/m);
  }
  t.end();
});

t.test('keeps tables within their width', (t) => {
  for (const width of [40, 50, 64, 74, 100, 200]) {
    for (const result of nastyComparisons()) {
      for (const line of table(result, width).split('\n')) {
        if ([...line].length > width) t.fail(`${width}: ${JSON.stringify(line)}`);
      }
    }
  }
  t.pass();
  t.end();
});

/** The words as a shell reads them. */
function shellWords(command: string): string[] {
  const program = 'for word; do printf "%s\\0" "$word"; done';
  return execFileSync('sh', ['-c', `set -- ${command}\n${program}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

t.test('wraps a command without changing it', (t) => {
  const long = `/home/me/${'linux-'.repeat(30)}x.patch`;
  const commands = [
    'daxrepro run ext2 generic/002',
    `daxrepro run ext2 generic/002 --kernel debian:5.10 --patch ${long} --pmem nvdimm --timeout 300`,
    `daxrepro run xfs generic/002 --patch '${long.replaceAll('-', ' ')}' --size 5`,
    `daxrepro run xfs generic/002 --patch '${"it'\\''s ".repeat(40)}' --mount-opts 'a b  c'`,
    `daxrepro run ext2 generic/002 --mkfs-opts '${'-b 4096 '.repeat(30)}' --control`,
    `daxrepro run ext2 generic/002 --mkfs-opts '' --mount-opts '${"'\\''".repeat(50)}'`,
  ];
  for (const command of commands) {
    for (const width of [30, 40, 74]) {
      const lines = wrapCommand(command, width, 4);
      t.ok(
        lines.every((line) => line.length <= width),
        lines.join('\n'),
      );
      t.strictSame(shellWords(lines.join('\n').trim()), shellWords(command), lines.join('\n'));
    }
  }
  t.strictSame(
    wrapCommand('daxrepro run ext2 generic/002 --kernel debian:5.10 --patch a.patch', 44, 2),
    ['  daxrepro run ext2 generic/002 \\', '    --kernel debian:5.10 --patch a.patch'],
  );
  t.end();
});

t.test('breaks text at blanks', (t) => {
  t.strictSame(wrapText('aa bb cc', 5), ['aa bb', 'cc']);
  t.strictSame(wrapText('aaaaaaa b', 3), ['aaa', 'aaa', 'a b']);
  t.strictSame(wrapText('', 3), ['']);
  t.end();
});

const ROW = { fs: 'ext2', test: 'generic/002', pmem: 'memmap' } as const;

t.test('formats a dry run', (t) => {
  const { variants } = CASE;
  const cells = variants.map(({ name }) => ({
    name: { ...ROW, variant: name, powerCut: name !== 'base' },
    expected: name === 'base' ? null : { verdict: 'fail' as const, signature: 'e2fsck:x' },
  }));
  t.strictSame(formatCells(cells), [
    'ext2  generic/002  memmap                   base',
    'ext2  generic/002  memmap, with power cuts  early-return  expects fail e2fsck:x',
  ]);
  t.end();
});
