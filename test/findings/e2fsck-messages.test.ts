import t from 'tap';
import { parseE2fsck } from '../../cli/findings/e2fsck.js';
import { fill } from './message-forms.js';
import { recorded } from './rig.js';

const CLEAN = recorded('e2fsck-clean.log');

function runWith(text: string, pass: number): string {
  if (pass === 0) return CLEAN.replace(/^Pass 1: /m, (header) => `${text}${header}`);
  return CLEAN.replace(new RegExp(`^Pass ${pass}: .*\n`, 'm'), (header) => `${header}${text}`);
}

/**
 * A sample of every kind of message: with a question on its line, after it or without one, of
 * several lines, with names anywhere. The question comes last.
 */
const FORMS: ReadonlyArray<readonly [pass: number, form: string, question: string]> = [
  [
    0,
    'Inode table for group <group> is not in group.  (block <block>)\nWARNING: SEVERE DATA LOSS POSSIBLE.\n',
    'Relocate',
  ],
  [0, 'Superblock has an invalid journal (inode <inode>).\n', 'Clear'],
  [
    0,
    'The filesystem size (according to the superblock) is <n> blocks\nThe physical size of the device is <n> blocks\nEither the superblock or the partition table is likely to be corrupt!\n',
    'Abort',
  ],
  [
    0,
    "Filesystem journal superblock is unknown type <n> (unsupported).\nIt is likely that your copy of e2fsck is old and/or doesn't support this journal format.\nIt is also possible the journal superblock is corrupt.\n",
    'Abort',
  ],
  [0, 'Clearing orphaned inode <inode> (uid=<n>, gid=<n>, mode=<n>, size=<n>)\n', ''],
  [0, 'Group descriptor <group> checksum is <hex>, should be <hex>.  ', 'Fix'],
  [0, 'The Hurd does not support the filetype feature.\n', 'Clear'],
  [0, 'First_meta_bg is too big.  (<n>, max value <n>).  ', 'Clear'],
  [
    0,
    'Orphan file (inode <inode>) block <block> contains wrong magic. Terminating orphan file recovery.\n',
    '',
  ],
  [0, 'Journal transaction <n> was corrupt, replay was aborted.\n', ''],
  [0, 'Hiding user quota inode <inode> (<path>).\n', ''],
  [1, 'Root inode is not a directory.  ', 'Clear'],
  [1, 'Inode <inode> is in use, but has dtime set.  ', 'Fix'],
  [1, 'Reserved inode <inode> (<path>) has invalid mode.  ', 'Clear'],
  [1, 'Inode <inode> is a zero-length directory.  ', 'Clear'],
  [1, "Group <group>'s inode bitmap at <n> conflicts with some other fs block.\n", 'Relocate'],
  [1, 'Inode <inode>, i_size is <n>, should be <n>.  ', 'Fix'],
  [1, 'Inode <inode>, i_blocks is <n>, should be <n>.  ', 'Fix'],
  [1, 'Illegal block #<block> (<n>) in inode <inode>.  ', 'Clear'],
  [1, 'Illegal indirect block (<n>) in inode <inode>.  ', 'Clear'],
  [1, 'Block #<block> (<n>) overlaps filesystem metadata in inode <inode>.  ', 'Clear'],
  [1, 'Too many illegal blocks in inode <inode>.\n', 'Clear inode'],
  [
    1,
    'Special (device/socket/fifo/symlink) file (inode <inode>) has immutable\nor append-only flag set.  ',
    'Clear',
  ],
  [1, 'HTREE directory inode <inode> has an invalid root node.\n', 'Clear HTree index'],
  [1, 'Inode <inode> has a bad extended attribute block <block>.  ', 'Clear'],
  [1, 'Extended attribute block <block> is corrupt (allocation collision).  ', 'Clear'],
  [
    1,
    'Inode <inode> has an invalid extent\n\t(logical block <block>, invalid physical block <n>, len <n>)\n',
    'Clear',
  ],
  [
    1,
    'Inode <inode> has an invalid extent\n\t(logical block <block>, physical block <n>, invalid len <n>)\n',
    'Clear',
  ],
  [1, 'Inode <inode> passes checks, but checksum does not match inode.  ', 'Fix'],
  [1, 'Inode <inode> seems to contain garbage.  ', 'Clear'],
  [
    1,
    'Interior extent node level <n> of inode <inode>:\nLogical start <n> does not match logical start <n> at next level.  ',
    'Fix',
  ],
  [1, 'Fast symlink <inode> has EXTENT_FL set.  ', 'Clear'],
  [1, 'EA inode <entryInode> for parent inode <inode> missing EA_INODE flag.\n ', 'Fix'],
  [
    1,
    'Directory <path> has the casefold flag, but the\ncasefold feature is not enabled.  ',
    'Clear flag',
  ],
  [1, 'Error while scanning inodes (<inode>): Cannot allocate memory\n', ''],
  [1, 'Multiply-claimed block(s) in inode <inode>: <n> <n>--<n>\n', ''],
  [
    1,
    'File <path> (inode #<inode>, mod time <time>) \n  has <n> multiply-claimed block(s), shared with <n> file(s):\n\t/<other> (inode #<n>, mod time <time>)\n\t<filesystem metadata>\n',
    'Clone multiply-claimed blocks',
  ],
  [2, 'Directory inode <inode>, block #<block>, offset <offset>: directory corrupted\n', 'Salvage'],
  [2, 'Directory inode <inode>, block #<block>, offset <offset>: filename too long\n', 'Truncate'],
  [2, "Entry '<entry>' in <path> (<inode>) has deleted/unused inode <entryInode>.  ", 'Clear'],
  [2, "Entry '<entry>' in <path> (<inode>) has invalid inode #: <entryInode>.\n", 'Clear'],
  [
    2,
    "Entry '<entry>' in <path> (<inode>) is a link to directory /<other> (<entryInode>).\n",
    'Clear',
  ],
  [2, "Entry '<entry>' in <path> (<inode>) is a link to '.'  ", 'Clear'],
  [
    2,
    "Entry '<entry>' in <path> (<inode>) has an incorrect filetype (was <n>, should be <n>).\n",
    'Fix',
  ],
  [2, "Entry '<entry>' in <path> (<inode>) is duplicate '..' entry.\n", 'Fix'],
  [2, "Entry '<entry>' in <path> (<inode>) has a non-unique filename.\nRename to <other>~0", ''],
  [2, "Encrypted entry '<entry>' in <path> (<inode>) is too short.\n", 'Clear'],
  [2, "Duplicate entry '<entry>' found.\n\tMarking <path> (<inode>) to be rebuilt.\n", ''],
  [
    2,
    "First entry '<entry>' (inode=<entryInode>) in directory inode <inode> (<path>) should be '.'\n",
    'Fix',
  ],
  [2, "Missing '..' in directory inode <inode>.\n", 'Fix'],
  [2, "Missing '.' in directory inode <inode>.\n", 'Fix'],
  [2, 'i_file_acl for inode <inode> (<path>) is <n>, should be zero.\n', 'Clear'],
  [2, 'Inode <inode> (<path>) has invalid mode (<n>).\n', 'Clear'],
  [2, 'Inode <inode> (<path>) is an illegal FIFO.\n', 'Clear'],
  [2, 'Symlink <path> (inode #<inode>) is invalid.\n', 'Clear'],
  [2, 'Problem in HTREE directory inode <inode>: block #<block> not referenced\n', ''],
  [2, 'Invalid HTREE directory inode <inode> (<path>).  ', 'Clear HTree index'],
  [
    2,
    'Directory inode <inode>, block #<block>: directory passes checks but fails checksum.\n',
    'Fix',
  ],
  [3, 'Root inode not allocated.  ', 'Allocate'],
  [3, 'Unconnected directory inode <inode> (was in <path>)\n', 'Connect to /lost+found'],
  [3, "'..' in <path> (<inode>) is /<other> (<entryInode>), should be /<other> (<n>).\n", 'Fix'],
  [3, '/lost+found not found.  ', 'Create'],
  [3, '/lost+found is not a directory (ino=<inode>)\n', 'Unlink'],
  [3, 'Cannot allocate space for /lost+found.\nPlace lost files in root directory instead', ''],
  [4, 'Unattached inode <inode>\n', 'Connect to /lost+found'],
  [4, 'Inode <inode> ref count is <n>, should be <n>.  ', 'Fix'],
  [
    4,
    'WARNING: PROGRAMMING BUG IN E2FSCK!\n\tOR SOME BONEHEAD (YOU) IS CHECKING A MOUNTED (LIVE) FILESYSTEM.\ninode_link_info[<inode>] is <n>, inode.i_links_count is <n>.  They should be the same!\n',
    '',
  ],
  [5, 'Block bitmap differences:  -(<n>--<n>) +<n> -<n>\n', 'Fix'],
  [5, 'Inode bitmap differences:  +<n> -<n>\n', 'Fix'],
  [5, 'Free blocks count wrong for group #<group> (<n>, counted=<n>).\n', 'Fix'],
  [5, 'Free blocks count wrong (<n>, counted=<n>).\n', 'Fix'],
  [5, 'Padding at end of inode bitmap is not set. ', 'Fix'],
  [5, 'Group <group> block(s) in use but group is marked BLOCK_UNINIT\n', 'Fix'],
  [5, 'Update quota info for quota type <n>', ''],
];

t.test('makes one finding of each message, with its entities', async (t) => {
  const classes = new Map<string, string>();
  for (const [pass, form, question] of FORMS) {
    const seen = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const { text, fields } = fill(form, round);
      const asks = question !== '' || !form.endsWith('\n');
      const report = parseE2fsck(runWith(`${text}${asks ? `${question}? no\n\n` : ''}`, pass));
      t.match(
        report,
        { clean: false, completed: true, findings: { length: 1 }, unparsed: { length: 0 } },
        text,
      );
      const [finding] = report.findings;
      t.match(finding, fields, text);
      t.equal(finding?.fix, asks ? 'refused' : undefined, text);
      seen.add(finding?.signature ?? '');
    }
    t.equal(seen.size, 1, `one signature: ${[...seen].join(' ')}`);
    for (const signature of seen) {
      t.notOk(classes.has(signature), `${form} has a signature of its own`);
      classes.set(signature, form);
    }
  }
});

t.test('reports what became of the repair', async (t) => {
  const fix = (text: string) => parseE2fsck(runWith(text, 1)).findings[0]?.fix;
  const message = 'Inode 12 is in use, but has dtime set.  ';
  t.equal(fix(`${message}Fix? no\n\n`), 'refused');
  t.equal(fix(`${message}Fix? yes\n\n`), 'made');
  t.equal(fix(`${message}Fix<y>? yes\n`), 'made');
  t.equal(fix(`${message}Fix ('a' enables 'yes' to all) <y>? yes to all\n`), 'made');
  t.equal(fix(`${message}Fix (y/n)? cancelled!\n`), 'refused');
  t.equal(fix(`${message}IGNORED.\n`), 'refused');
  t.equal(fix(`${message}FIXED.\n`), 'made');
  t.equal(fix('Error reading inode 12: Input/output error\n'), undefined);
  t.equal(parseE2fsck(`${CLEAN.split('\n')[0]}\n${message}Fix? `).findings[0]?.fix, 'offered');
});

t.test('preening', async (t) => {
  const log = [
    '/dev/pmem0: Inode 12 is in use, but has dtime set.  FIXED.',
    "/dev/pmem0: '..' in /a (13) is /b (14), should be / (2).",
    '',
    '',
    '/dev/pmem0: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.',
    '\t(i.e., without -a or -p options)',
    '',
  ].join('\n');
  const report = parseE2fsck(log);
  t.match(report, {
    clean: false,
    completed: false,
    reason: /preening does not repair/,
    unparsed: { length: 0 },
    findings: [
      { signature: 'e2fsck:inode-is-in-use-but-has-dtime-set', inode: 12, fix: 'made' },
      { signature: 'e2fsck:dotdot-in-directory-is-should-be', inode: 13, fix: 'offered' },
    ],
  });
  t.match(
    parseE2fsck(log.replaceAll('/dev/pmem0', 'scratch')).findings.map((f) => f.signature),
    report.findings.map((f) => f.signature),
    'the same with a label in front',
  );
});

t.test('takes no proof from a program that died', async (t) => {
  const killed = CLEAN.replace(
    /^Pass 3/m,
    'Signal (11) SIGSEGV si_code=SEGV_MAPERR fault addr=0x10\ne2fsck(+0x33ba7)[0x55d1f1d3eba7]\nPass 3',
  );
  t.match(parseE2fsck(killed), {
    clean: false,
    completed: false,
    reason: /killed/,
    unparsed: { length: 0 },
  });
  const restarted = CLEAN.replace(/^Pass 4/m, 'Restarting e2fsck from the beginning...\nPass 4');
  t.match(parseE2fsck(restarted), { completed: false, reason: 'the log lacks pass 1, 2, 3' });
});
