import t from 'tap';
import { parseXfsRepair } from '../../cli/findings/xfs-repair.js';
import { recorded } from './rig.js';

const CLEAN = recorded('xfs-repair-clean.log');
const runWith = (text: string) => CLEAN.replace(/^Phase 3.*\n/m, (header) => `${header}${text}`);

t.test('finds a sound file system clean', async (t) => {
  t.match(parseXfsRepair(CLEAN), {
    clean: true,
    completed: true,
    findings: { length: 0 },
    unparsed: { length: 0 },
  });
});

t.test('finds recorded damage', async (t) => {
  t.strictSame(
    parseXfsRepair(recorded('xfs-repair-entry.log'), { device: '/dev/pmem0' }).findings[0],
    {
      tool: 'xfs_repair',
      device: '/dev/pmem0',
      pass: 4,
      message: 'entry "f" in shortform directory 262272 references non-existent inode 99999',
      signature: 'xfs_repair:entry-in-shortform-directory-references-non-existent-inode',
      severity: 'corruption',
      inode: 262272,
      inodeType: 'directory',
      entry: 'f',
      entryInode: 99999,
    },
  );
  t.match(parseXfsRepair(recorded('xfs-repair-counters.log')).findings.at(-1), {
    signature: 'xfs_repair:sb_fdblocks-counted',
    severity: 'repairable',
    pass: 2,
  });
  for (const name of ['inode', 'agi']) {
    const report = parseXfsRepair(recorded(`xfs-repair-${name}.log`));
    t.ok(report.completed && !report.clean, name);
  }
  t.match(parseXfsRepair(recorded('xfs-repair-superblock.log')), {
    completed: false,
    clean: false,
    findings: [{ signature: 'xfs_repair:bad-primary-superblock-bad-magic-number' }],
  });
});

t.test('finds a log incomplete that stops anywhere', async (t) => {
  const lines = CLEAN.trimEnd().split('\n');
  for (let count = 0; count < lines.length; count += 1) {
    t.notOk(parseXfsRepair(lines.slice(0, count).join('\n')).completed, `${count} lines`);
  }
  t.notOk(parseXfsRepair(`${CLEAN}Phase 1 - find and verify superblock...\n`).completed);
  t.notOk(parseXfsRepair(CLEAN.replace(/^Phase 4.*\n/m, '')).completed);
});

t.test('never finds a log with unknown lines clean', async (t) => {
  t.match(parseXfsRepair(runWith('xyzzy plugh\n')), {
    clean: false,
    completed: true,
    findings: { length: 0 },
    unparsed: ['xyzzy plugh'],
  });
  t.match(
    parseXfsRepair(
      runWith(
        [
          'ALERT: The filesystem has valuable metadata changes in a log which is being',
          'ignored because the -n option was used.  Expect spurious inconsistencies',
          'which may be resolved by first mounting the filesystem to replay the log.',
          '',
        ].join('\n'),
      ),
    ),
    { clean: false, findings: { length: 1, 0: { severity: 'repairable' } } },
  );
  t.match(
    parseXfsRepair(
      runWith(
        'bad back (left) sibling pointer (saw 7 should be NULL (0))\n\tin inode 131 (data fork) bmap btree block 12\n',
      ),
    ).findings,
    { length: 1, 0: { inode: 131, block: 12 } },
  );
});

t.test('reports as notices what xfs_repair itself does not take for damage', async (t) => {
  // The log of xfs/191: xfs_repair -n exits with 0.
  for (const line of [
    'would clear empty leaf attr block 0, inode 135',
    'would sync log incompat feature in AG 1 super, 0x0 != 0x1',
  ]) {
    const { clean, findings } = parseXfsRepair(runWith(`${line}\n`));
    t.match({ clean, findings }, { clean: true, findings: [{ severity: 'notice' }] }, line);
    const made = runWith(`${line.replace('would', 'will')}\n`);
    t.match(parseXfsRepair(made), { clean: false, findings: [{ severity: 'repairable' }] }, line);
  }
  // In any other block it counts as damage.
  const other = parseXfsRepair(runWith('bad attribute count 0 in attr block 1, inode 135\n'));
  t.match(other.findings, [{ severity: 'corruption' }]);
});

t.test('rejoins a line that another thread interrupted', async (t) => {
  // xfs_repair 6.1.0 on an inode without magic: a prefetching thread may print at any of these places.
  const verifier = 'Metadata corruption detected at 0x555a4c51b1a6, xfs_inode block 0x80/0x4000\n';
  const [first, second, third] = [
    'bad magic number 0x0 on inode 131,',
    ' would reset magic number\n',
    'would have cleared inode 131\n',
  ];
  const classes = (text: string) => {
    const { findings, unparsed } = parseXfsRepair(runWith(text));
    t.strictSame(unparsed, []);
    return findings.map(({ signature }) => signature).sort();
  };
  const expected = classes(`${verifier}${first}${second}${third}`);
  t.equal(expected.length, 3);
  for (const text of [
    `${first}${verifier}${second}${third}`,
    `${first}${second}${verifier}${third}`,
    `${first}${second}${third}${verifier}`,
  ]) {
    t.strictSame(classes(text), expected, text);
  }
  // As 6.1.0 printed it.
  const progress = `${verifier}${first}        - agno = 2\n${second}        - agno = 3\n${third}`;
  t.strictSame(classes(progress), expected, 'by progress');
  const unended = `${verifier.trim()}${first}        - agno = 2\n\n${second}${third}`;
  t.strictSame(classes(unended), expected, 'before the end of a verifier line');
  const cleared = `${verifier}${first}would have cleared inode 1704068\n${second}${third}`;
  t.strictSame([...new Set(classes(cleared))], expected, 'by the end of another message');
  const two = classes(
    `${verifier}${first}${first.replace('131', '262272')}${second}${second}${third}`,
  );
  t.strictSame([...new Set(two)], expected, 'by a message of another thread');
  const twice = classes(`${first}${verifier}${verifier}${second}${third}`);
  t.strictSame([...new Set(twice)], expected, 'by two messages');
  const cut = parseXfsRepair(`${CLEAN.split('Phase 4')[0]}${first}${verifier}`);
  t.match(cut, { completed: false, findings: { length: 2 } }, 'and cut there');
});

t.test('gives the same class whatever the names', async (t) => {
  const classOf = (name: string) =>
    parseXfsRepair(runWith(`entry "${name}" in directory inode 128 points to free inode 131\n`))
      .findings[0]?.signature;
  for (const name of ['x', 'a" in "b', 'inode 7', 'would junk']) {
    t.equal(classOf(name), 'xfs_repair:entry-in-directory-inode-points-to-free-inode', name);
  }
});
