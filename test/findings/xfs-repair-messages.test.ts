import t from 'tap';
import { parseXfsRepair } from '../../cli/findings/xfs-repair.js';
import { fill } from './message-forms.js';
import { recorded } from './rig.js';

const CLEAN = recorded('xfs-repair-clean.log');
const runWith = (text: string) => CLEAN.replace(/^Phase 3.*\n/m, (header) => `${header}${text}`);

/** A sample of every kind of message, of xfs_repair 3.2 to 7.2. */
const FORMS: readonly string[] = [
  'bad magic # <hex> for agf <group>',
  'bad length <n> for agf <group>, should be <n>',
  'agf_freeblks <n>, counted <n> in ag <group>',
  'sb_fdblocks <n>, counted <n>',
  'bad agbno <n> for btbno root, agno <group>',
  'block (<n>,<n>-<n>) multiply claimed by bno space tree, state - <n>',
  'unknown block state, ag <group>, blocks <n>-<n>',
  'in use block (<n>,<n>-<n>) mismatch in bno tree, state - <n>,5a0f',
  'agi unlinked bucket <n> is <n> in ag <group> (inode=<inode>)',
  'inode rec for ino <inode> (<n>/<n>) overlaps existing rec (start <n>/<n>)',
  'Missing reverse-mapping record for (<n>/<n>) len <n> owner <n> off <n>',
  'Incorrect reference count: saw (<n>/<n>) len <n> nlinks <n>; should be (<n>/<n>) len <n> nlinks <n>',
  'Metadata corruption detected at <hex>, xfs_agf block <hex>/<hex>',
  'Metadata CRC error detected at <hex>, xfs_inode block <hex>/<hex>',
  'bad CRC for inode <inode>, will rewrite',
  'bad magic number <hex> on inode <inode>, would reset magic number',
  'imap claims in-use inode <inode> is free, would correct imap',
  'bad nblocks <n> for inode <inode>, would reset to <n>',
  'bad nextents <n> for inode <inode>, would reset to <n>',
  'data fork in ino <inode> claims free block <n>',
  'data fork in regular inode <inode> claims used block <n>',
  'bad magic # <hex> in inode <inode> (data fork) bmbt block <block>',
  'bad fwd (right) sibling pointer (saw <n> parent block says <n>)\n\tin inode <inode> (data fork) bmap btree block <block>',
  'zero length extent (off = <n>, fsbno = <n>) in ino <inode>',
  'inode <inode> - bad extent starting block number <n>, offset <offset>',
  'size of character device inode <inode> != 0 (<n> bytes)',
  'Corrupt symlink remote block <block>, inode <inode>.',
  'would have cleared inode <inode>',
  'inode <inode> is marked reflinked but file system does not support reflink',
  'attribute entry <n> in attr block <n>, inode <inode> has bad name (namelen = <n>)',
  'would clear attr fork in inode <inode>',
  'entry "<entry>" in shortform directory <inode> references non-existent inode <entryInode>',
  'entry "<entry>" at block <block> offset <offset> in directory inode <inode> references invalid inode <entryInode>',
  'entry "<entry>" (ino <entryInode>) in dir <inode> is a duplicate name',
  'would have junked entry "<entry>" in directory inode <inode>',
  'bad hash table for directory inode <inode> (no data entry): would rebuild',
  'bad .. entry in directory inode <inode>, points to self: would clear entry',
  'no .. entry for directory <inode>',
  'no . entry for directory <inode>',
  'multiple . entries in directory inode <inode>: would clear entry',
  'multiple .. entries in directory inode <inode>: would clear entry',
  'missing freetab entry <n> for directory inode <inode>',
  'disconnected inode <inode>, would move to lost+found',
  'disconnected dir inode <inode>, would move to lost+found',
  'would have reset inode <inode> nlinks from <n> to <n>',
  "would add missing ino <inode> parent pointer (ino <n> gen <hex> name '<entry>')",
  'user quota id <n> has bcount <n>, expected <n>',
  'Maximum metadata LSN (<n>:<n>) is ahead of log (<n>:<n>).',
  "\nfatal error -- couldn't map inode <inode>, err = <n>",
  'Zone capacity larger than zone size!',
  'Inconsistent zone capacity!',
  'mismatched zone start <hex>.',
  'Found sequential write preferred zone',
  'Found unknown zone type (<hex>)',
  'zone <n> write pointer (<n>) outside of zone.',
  'conventional zone <n> has unsupported zone condition <hex>.',
  'zoned <n> has unsupported type <hex>.',
];

t.test('makes one finding of each message, with its entities', async (t) => {
  const classes = new Map<string, string>();
  for (const form of FORMS) {
    const seen = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const { text, fields } = fill(form, round);
      const report = parseXfsRepair(runWith(`${text}\n`));
      t.match(report, { clean: false, findings: { length: 1 }, unparsed: { length: 0 } }, text);
      t.match(report.findings[0], fields, text);
      seen.add(report.findings[0]?.signature ?? '');
    }
    t.equal(seen.size, 1, `one signature: ${[...seen].join(' ')}`);
    for (const signature of seen) {
      t.notOk(classes.has(signature), `${form} has a signature of its own`);
      classes.set(signature, form);
    }
  }
});

t.test('reports what became of the repair', async (t) => {
  const fix = (text: string) => parseXfsRepair(runWith(`${text}\n`)).findings.map((f) => f.fix);
  t.strictSame(fix('would have cleared inode 12'), ['refused']);
  t.strictSame(fix('resetting inode 12 nlinks from 5 to 1'), ['made']);
  t.strictSame(fix('root inode lost'), [undefined]);
  const entry = 'entry "f" in shortform directory 12 references non-existent inode 99';
  t.strictSame(fix(`${entry}\nwould junk entry`), ['refused'], 'a line without anything else');
  t.strictSame(fix(`${entry}\n\twill clear entry`), ['made']);
  t.equal(
    parseXfsRepair(runWith(`${entry}\nwould junk entry\n`)).findings[0]?.signature,
    parseXfsRepair(runWith(`${entry}\n`)).findings[0]?.signature,
    'the repair does not change the class',
  );
});

t.test('reads a name with a line break', async (t) => {
  for (const name of ['a\nb', '\n', 'a\n\nPhase 7 - verify link counts...\n']) {
    const text = `entry "${name}" in shortform directory 12 references non-existent inode 99\n`;
    t.match(parseXfsRepair(runWith(text)), {
      completed: true,
      unparsed: { length: 0 },
      findings: {
        length: 1,
        0: {
          entry: name,
          inode: 12,
          signature: 'xfs_repair:entry-in-shortform-directory-references-non-existent-inode',
        },
      },
    });
  }
});

t.test('finds a log with notices of two lines clean', async (t) => {
  const note =
    'Note - stripe unit (8) and width (16) were copied from a backup superblock.\nPlease reset with mount -o sunit=<value>,swidth=<value> if necessary\n';
  t.match(parseXfsRepair(runWith(note)), { clean: true, findings: { length: 1 } });
});
