import t from 'tap';
import { parseE2fsck } from '../../cli/findings/e2fsck.js';
import { recorded } from './rig.js';

const CLEAN = recorded('e2fsck-clean.log');
const SUMMARY = '/dev/pmem0: 45/4096 files (0.0% non-contiguous), 374/4096 blocks\n';

/** A whole run that prints `text` in a pass. */
function runWith(text: string, pass = 2): string {
  return CLEAN.replace(new RegExp(`^Pass ${pass}: .*\n`, 'm'), (header) => `${header}${text}`);
}

const classes = (text: string) => parseE2fsck(text).findings.map((finding) => finding.signature);

t.test('finds a sound file system clean', async (t) => {
  for (const name of ['e2fsck-clean.log', 'e2fsck-verbose.log']) {
    t.match(parseE2fsck(recorded(name)), {
      version: '1.47.0',
      clean: true,
      completed: true,
      findings: { length: 0 },
      unparsed: { length: 0 },
    });
  }
});

t.test('finds the directory page that was never written', async (t) => {
  const report = parseE2fsck(recorded('e2fsck-dirblock.log'), { device: '/dev/pmem0' });
  t.strictSame(report.findings, [
    {
      tool: 'e2fsck',
      device: '/dev/pmem0',
      pass: 2,
      message: 'Directory inode 12, block #0, offset 0: directory corrupted',
      signature: 'e2fsck:directory-inode-block-offset-directory-corrupted',
      severity: 'corruption',
      fix: 'refused',
      inode: 12,
      inodeType: 'directory',
      block: 0,
      offset: 0,
    },
  ]);
  t.match(report, { clean: false, completed: false, reason: 'e2fsck aborted' });
  const root = parseE2fsck(recorded('e2fsck-rootblock.log')).findings[0];
  t.equal(root?.inode, 2);
  t.equal(root?.signature, report.findings[0]?.signature, 'the same class in the root directory');
});

t.test('finds recorded damage', async (t) => {
  t.strictSame(classes(recorded('e2fsck-counts.log')), [
    'e2fsck:block-bitmap-differences',
    'e2fsck:free-blocks-count-wrong-for-group-counted',
    'e2fsck:free-blocks-count-wrong-counted',
    'e2fsck:free-inodes-count-wrong-counted',
  ]);
  const links = parseE2fsck(recorded('e2fsck-links.log'));
  t.strictSame(links.unparsed, []);
  t.match(
    links.findings.find(({ signature }) => signature.includes('symlink')),
    { inode: 45, inodeType: 'symlink', path: '/sym', pass: 2 },
  );
  t.match(
    links.findings.find(({ signature }) => signature.includes('deleted-unused')),
    {
      signature: 'e2fsck:entry-in-directory-has-deleted-unused-inode',
      inode: 14,
      inodeType: 'directory',
      path: '/e',
    },
  );
  t.match(
    links.findings.find(({ pass }) => pass === 4),
    {
      message: 'Inode 13 ref count is 7, should be 2.',
      severity: 'repairable',
    },
  );
  const shared = parseE2fsck(recorded('e2fsck-dup.log'));
  t.strictSame(shared.unparsed, []);
  t.equal(
    shared.findings.filter((f) => f.signature === 'e2fsck:file-has-multiply-claimed-blocks').length,
    2,
    'makes one finding of two questions about one file',
  );
  t.ok(shared.findings.some((f) => f.signature === 'e2fsck:inode-has-invalid-mode'));
  for (const name of ['csum', 'sb', 'journal']) {
    const report = parseE2fsck(recorded(`e2fsck-${name}.log`));
    t.notOk(report.clean, name);
    t.strictSame(report.unparsed, [], name);
  }
  t.equal(parseE2fsck(recorded('e2fsck-sb.log')).completed, false);
});

t.test('finds a log incomplete that stops anywhere', async (t) => {
  const lines = CLEAN.trimEnd().split('\n');
  for (let count = 0; count < lines.length; count += 1) {
    const report = parseE2fsck(`${lines.slice(0, count).join('\n')}\n`);
    t.notOk(report.clean || report.completed, `${count} lines`);
  }
  for (let missing = 1; missing < lines.length; missing += 1) {
    const report = parseE2fsck(lines.filter((_, at) => at !== missing).join('\n'));
    t.notOk(report.clean, `without line ${missing + 1}`);
  }
  t.notOk(
    parseE2fsck(CLEAN + CLEAN.replace(SUMMARY, '')).completed,
    'finds one summary too few for two runs',
  );
  const second = CLEAN.split('\n').slice(0, 4).join('\n');
  t.notOk(parseE2fsck(`${CLEAN}${second}`).completed, 'notices that a second run was killed');
  t.match(
    parseE2fsck('e2fsck 1.47.0 (5-Feb-2023)\n/dev/pmem0: clean, 11/64 files, 9/64 blocks\n'),
    {
      clean: false,
      reason: /did not check/,
    },
  );
});

t.test('never finds a log with unknown lines clean', async (t) => {
  t.match(parseE2fsck(runWith('Xyzzy plugh.\n')), {
    clean: false,
    completed: true,
    findings: { length: 0 },
    unparsed: ['Xyzzy plugh.'],
  });
  t.match(parseE2fsck(runWith('Frobnicated gadget 12 was bent.  Fix? no\n\n')).findings, [
    { message: 'Frobnicated gadget 12 was bent.', severity: 'corruption' },
  ]);
  t.match(
    parseE2fsck(
      runWith('\n/dev/x: ********** WARNING: Filesystem still has errors **********\n\n'),
    ),
    {
      clean: false,
      findings: [{ signature: 'e2fsck:filesystem-still-has-errors', severity: 'corruption' }],
    },
  );
  t.match(parseE2fsck(runWith('Update quota info for quota type 0? no\n\n', 5)).findings, [
    { severity: 'repairable' },
  ]);
});

t.test('finds a log with only notices clean', async (t) => {
  const future =
    'Superblock last mount time (Sun Nov 22 13:17:21 2026,\n\tnow = Sat Nov 21 13:17:21 2026) is in the future.\nFix? no\n\n';
  t.match(parseE2fsck(runWith(future, 1)), {
    clean: true,
    findings: [
      {
        signature: 'e2fsck:superblock-last-mount-time-now-is-in-the-future',
        severity: 'notice',
      },
    ],
  });
  t.notOk(
    parseE2fsck(recorded('e2fsck-journal.log')).clean,
    'does not rate an unreplayed journal as a notice',
  );
});

t.test('reads messages of several lines', async (t) => {
  t.strictSame(
    classes(
      runWith(
        [
          'Special (device/socket/fifo/symlink) file (inode 12) has immutable',
          'or append-only flag set.  Clear? no',
          '',
          'Inode 13 has an invalid extent',
          '\t(logical block 0, invalid physical block 999, len 1)',
          'Clear? no',
          '',
          'Inode 14 has an invalid extent',
          '\t(logical block 0, physical block 999, invalid len 1)',
          'Clear? no',
          '',
          "Entry 'a' in /d (12) has a non-unique filename.",
          'Rename to a~0? no',
          '',
          '',
        ].join('\n'),
      ),
    ),
    [
      'e2fsck:special-device-socket-fifo-symlink-file-inode-has-immutable-or-append-only-flag-set',
      'e2fsck:inode-has-an-invalid-extent-logical-block-invalid-physical-block-len',
      'e2fsck:inode-has-an-invalid-extent-logical-block-physical-block-invalid-len',
      'e2fsck:entry-in-directory-has-a-non-unique-filename',
    ],
  );
});

t.test('gives the same class whatever the names', async (t) => {
  const entry = (name: string, path: string) =>
    classes(runWith(`Entry '${name}' in ${path} (12) has deleted/unused inode 42.  Clear? no\n\n`));
  for (const name of ['a', "it's", "b' in /x (9) is", 'Pass 2: Checking', 'Fix? no']) {
    t.strictSame(entry(name, '/d'), ['e2fsck:entry-in-directory-has-deleted-unused-inode'], name);
  }
  t.strictSame(entry('a', '/with blanks (and 7)'), entry('a', '/d'));
});

t.test('accepts all line ends and progress displays', async (t) => {
  t.ok(parseE2fsck(CLEAN.replaceAll('\n', '\r\n')).clean);
  t.ok(parseE2fsck(runWith('\x01/dev/x: |=====      | 12.5%  \r\x02\x01      \r\x02')).clean);
});
