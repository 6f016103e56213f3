import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import type { FsckReport } from '../../cli/findings/fsck-report.js';
import { runTool } from '../../cli/process/child.js';
import { systemPath } from '../../cli/system/programs.js';

/**
 * Real damage: images that debugfs and xfs_db break in one place each, checked by e2fsck -fn and
 * xfs_repair -n. Each file system has two images with the same files; in the second, other files
 * come first, so that inodes and blocks have other numbers.
 */

const env = { ...process.env, PATH: systemPath(process.env['PATH']), LC_ALL: 'C' };

/** @returns both streams merged; the checks exit with codes other than 0 if they find something */
async function run(argv: [string, ...string[]]): Promise<string> {
  const merged = ['sh', '-c', 'exec "$@" 2>&1', 'sh'] as const;
  const { stdout } = await runTool([...merged, ...argv], { env });
  return stdout;
}

async function must(argv: [string, ...string[]]): Promise<string> {
  const result = await runTool(argv, { env });
  if (!result.ok) throw new Error(`${argv.join(' ')}: ${result.summary}\n${result.all}`);
  return result.stdout;
}

type Variant = 1 | 2;
const VARIANTS: readonly Variant[] = [1, 2];

interface Damage {
  commands: string[];
  /** The signature of this damage, without the tool. */
  signature: string;
  fs?: 'ext4';
}

/** `FBLOCK` is the first block of /f. */
const EXT: Record<string, Damage> = {
  'a directory block of zeros': {
    commands: ['zap_block -f /d 0'],
    signature: 'directory-inode-block-offset-directory-corrupted',
  },
  'a wrong link count': {
    commands: ['sif /f links_count 7'],
    signature: 'inode-ref-count-is-should-be',
  },
  'a file in use with a deletion time': {
    commands: ['sif /f dtime 20200101'],
    signature: 'inode-is-in-use-but-has-dtime-set',
  },
  'no mode': { commands: ['sif /f mode 0'], signature: 'inode-has-invalid-mode' },
  'a used block marked free': {
    commands: ['freeb FBLOCK'],
    signature: 'free-blocks-count-wrong-for-group-counted',
  },
  'a used inode marked free': {
    commands: ['freei /f'],
    signature: 'inode-bitmap-differences',
  },
  'an entry of a cleared inode': {
    commands: ['clri /f'],
    signature: 'entry-in-directory-has-deleted-unused-inode',
  },
  'a block beyond the end': {
    commands: ['sif /f block[0] 99999999'],
    signature: 'illegal-block-in-inode',
  },
  'a block of two files': {
    commands: ['sif /g block[0] FBLOCK'],
    signature: 'multiply-claimed-block-s-in-inode',
  },
  'a wrong size': { commands: ['sif /f size 300'], signature: 'inode-i_size-is-should-be' },
  'a wrong count of blocks': {
    commands: ['sif /f blocks 2'],
    signature: 'inode-i_blocks-is-should-be',
  },
  'a file without entry': { commands: ['unlink /f'], signature: 'unattached-inode' },
  'a directory without entry': {
    commands: ['unlink /d'],
    signature: 'unconnected-directory-inode-was-in-directory',
  },
  'a directory with two names': {
    commands: ['ln /d /e/x'],
    signature: 'entry-in-directory-is-a-link-to-directory',
  },
  'a symbolic link of another length': {
    commands: ['sif /sym size 4000'],
    signature: 'symlink-inode-is-invalid',
  },
  'attributes in a block that has none': {
    commands: ['sif /f file_acl 1800'],
    signature: 'inode-has-a-bad-extended-attribute-block',
  },
  'a bitmap out of its group': {
    commands: ['set_bg 0 block_bitmap 99999'],
    signature: 'block-bitmap-for-group-is-not-in-group-block',
  },
  'no root directory': {
    commands: ['sif <2> mode 0100644'],
    signature: 'root-inode-is-not-a-directory',
  },
  'a wrong dot entry': {
    commands: ['zap_block -f /d -o 0 -l 4 -p 9 0'],
    signature: 'invalid-inode-number-for-dot-in-directory-inode',
  },
  'a field that has to be zero': {
    commands: ['sif /f faddr 7'],
    signature: 'i_faddr-for-inode-is-should-be-zero',
  },
  'a checksum that does not match': {
    commands: ['sif /f checksum 0x1234'],
    signature: 'inode-passes-checks-but-checksum-does-not-match-inode',
    fs: 'ext4',
  },
  'a broken extent header': {
    commands: ['sif /f block[0] 0'],
    signature: 'inode-has-corrupt-extent-header',
    fs: 'ext4',
  },
  'an extent of no blocks': {
    commands: ['sif /f block[4] 0'],
    signature: 'inode-has-zero-length-extent-invalid-logical-block-physical-block',
    fs: 'ext4',
  },
};

const F = 'path /f';
const XFS: Record<string, Damage> = {
  'a wrong count in the superblock': {
    commands: ['sb 0', 'write fdblocks 77'],
    signature: 'sb_fdblocks-counted',
  },
  'a wrong count of inodes in an AGI': {
    commands: ['agi 0', 'write count 3'],
    signature: 'agi_count-counted-in-ag',
  },
  'a wrong longest extent in an AGF': {
    commands: ['agf 1', 'write longest 3'],
    signature: 'agf_longest-counted-in-ag',
  },
  'an AGF of another file system': {
    commands: ['agf 2', 'write -d uuid 00000000-0000-0000-0000-000000000001'],
    signature: 'bad-uuid-for-agf',
  },
  'a wrong link count': {
    commands: [F, 'write -d core.nlinkv2 5'],
    signature: 'would-have-reset-inode-nlinks-from-to',
  },
  'an inode without magic': {
    commands: [F, 'write -d core.magic 0'],
    signature: 'bad-magic-number-on-inode',
  },
  'a wrong count of blocks': {
    commands: [F, 'write -d core.nblocks 99'],
    signature: 'bad-nblocks-for-inode-would-reset-to',
  },
  'a wrong count of extents': {
    commands: [F, 'write -d core.nextents 9'],
    signature: 'bmap-rec-out-of-order-inode-entry-o-s-c',
  },
  'an unknown fork format': {
    commands: [F, 'write -d core.format 7'],
    signature: 'bad-inode-format-in-inode',
  },
  'no mode': {
    commands: [F, 'write -d core.mode 0'],
    signature: 'imap-claims-a-free-inode-is-in-use-would-correct-imap-and-clear-inode',
  },
  'an unknown type': {
    commands: [F, 'write -d core.mode 0130644'],
    signature: 'bad-inode-type-inode',
  },
  'a symbolic link of another length': {
    commands: ['path /sym', 'write -d core.size 90000'],
    signature: 'mismatch-between-format-and-size-in-symlink-inode',
  },
  'an entry without inode': {
    commands: ['path /d', 'write -d u3.sfdir3.list[0].inumber.i4 99999'],
    signature: 'entry-in-shortform-directory-references-non-existent-inode',
  },
  'a wrong parent': {
    commands: ['path /d', 'write -d u3.sfdir3.hdr.parent.i4 12345'],
    signature: 'entry-in-directory-inode-not-consistent-with-value-in-inode',
  },
  'a directory block without magic': {
    commands: ['path /e', 'dblock 0', 'write -d bhdr.hdr.magic 0'],
    signature: 'bad-directory-block-magic-in-block-for-directory-inode',
  },
  'a file in the blocks of metadata': {
    commands: [F, 'write -d u3.bmx[0].startblock 1'],
    signature: 'data-fork-in-inode-claims-metadata-block',
  },
  'an extent of no blocks': {
    commands: [F, 'write -d u3.bmx[0].blockcount 0'],
    signature: 'zero-length-extent-off-fsbno-in-ino',
  },
  'a free-space tree without magic': {
    commands: ['agf 0', 'addr bnoroot', 'write -d magic 0'],
    signature: 'bad-magic-in-btbno-block',
  },
  'a wrong count in an inode record': {
    commands: ['agi 0', 'addr root', 'write -d recs[1].freecount 3'],
    signature: 'ir_freecount-free-mismatch-inode-chunk-freecount-nfree',
  },
  'a list of unlinked inodes that has one': {
    commands: ['agi 0', 'write -d unlinked[3] 200'],
    signature: 'agi-unlinked-bucket-is-in-ag-inode',
  },
  'an inode of another file system': {
    commands: [F, 'write -d v3.uuid 00000000-0000-0000-0000-000000000001'],
    signature: 'uuid-mismatch-on-inode',
  },
};

async function extImage(file: string, fs: 'ext2' | 'ext4', variant: Variant): Promise<string> {
  const tree = `${file}.tree`;
  for (const directory of ['', 'd', 'e']) mkdirSync(join(tree, directory));
  if (variant === 2) {
    for (let n = 0; n < 7; n += 1) writeFileSync(join(tree, `0pad${n}`), `${n}`);
    mkdirSync(join(tree, '0dir'));
    writeFileSync(join(tree, '0big'), 'z'.repeat(20_000));
  }
  for (const name of ['f', 'g', 'd/s']) writeFileSync(join(tree, name), name.repeat(9000));
  symlinkSync('x'.repeat(100), join(tree, 'sym'));
  writeFileSync(file, '');
  truncateSync(file, 8 << 20);
  await must([`mkfs.${fs}`, '-q', '-F', '-b', '4096', '-d', tree, file]);
  return file;
}

async function checkExt(image: string, { commands }: Damage, copy: string): Promise<FsckReport> {
  const block = (await must(['debugfs', '-R', 'bmap /f 0', image])).match(/\d+\s*$/)?.[0].trim();
  await must(['cp', '--sparse=always', image, copy]);
  for (const command of commands) {
    await must(['debugfs', '-w', '-R', command.replace('FBLOCK', block ?? ''), copy]);
  }
  return read(await run(['e2fsck', '-fn', copy]));
}

async function xfsImage(file: string, variant: Variant): Promise<string> {
  const content = `${file}.content`;
  writeFileSync(content, 'a'.repeat(9000));
  const pads =
    variant === 2 ? [0, 1, 2, 3, 4, 5, 6].map((n) => `0pad${n} ---644 0 0 ${content}`) : [];
  const many = Array.from({ length: 60 }, (_, n) => `a_rather_long_name_${n} ---644 0 0 /dev/null`);
  // mkfs.xfs(8), -p: the contents of the new file system.
  const prototype = [
    '/dev/null',
    '1 1',
    'd--755 0 0',
    ...pads,
    `f ---644 0 0 ${content}`,
    'sym l--777 0 0 some/where',
    'd d--755 0 0',
    `s ---644 0 0 ${content}`,
    '$',
    'e d--755 0 0',
    ...many,
    '$',
    '$',
    '',
  ];
  writeFileSync(`${file}.prototype`, prototype.join('\n'));
  writeFileSync(file, '');
  truncateSync(file, 300 << 20);
  await must(['mkfs.xfs', '-q', '-f', '-p', `${file}.prototype`, file]);
  return file;
}

async function checkXfs(image: string, { commands }: Damage, copy: string): Promise<FsckReport> {
  await must(['cp', '--sparse=always', image, copy]);
  await must(['xfs_db', '-x', ...commands.flatMap((command) => ['-c', command]), copy]);
  return read(await run(['xfs_repair', '-n', copy]));
}

function read(log: string): FsckReport {
  const report = parseFsck(log);
  if (!report) throw new Error(`this is no log of a check:\n${log}`);
  return report;
}

const signaturesOf = ({ findings }: FsckReport) =>
  [...new Set(findings.map(({ signature }) => signature))].sort();

/** Each damage has its own signature, the same on both images. */
async function judge(
  t: Tap,
  tool: FsckReport['tool'],
  damages: Record<string, Damage>,
  check: (variant: Variant, damage: Damage) => Promise<FsckReport>,
): Promise<void> {
  const told = new Map<string, string>();
  const whole = new Map<string, string>();
  const numbers = new Set<number | undefined>();
  for (const [name, damage] of Object.entries(damages)) {
    const own = `${tool}:${damage.signature}`;
    t.notOk(told.has(damage.signature), `${name} is not ${told.get(damage.signature)}`);
    told.set(damage.signature, name);
    const reports = [];
    for (const variant of VARIANTS) reports.push(await check(variant, damage));
    for (const report of reports) {
      t.notOk(report.clean, `${name} is not clean`);
      t.strictSame(report.unparsed, [], `${name} is understood`);
      const finding = report.findings.find(({ signature }) => signature === own);
      t.ok(finding, `${name} has ${own}: ${signaturesOf(report).join(' ')}`);
      numbers.add(finding?.inode);
    }
    for (const all of new Set(reports.map((report) => signaturesOf(report).join(' ')))) {
      t.notOk(whole.has(all), `${name} has a signature of its own`);
      whole.set(all, name);
    }
    t.strictSame(...(reports.map(signaturesOf) as [string[], string[]]), `${name}, both images`);
  }
  t.ok(told.size >= 20, `${told.size} kinds of damage`);
  t.ok(numbers.size > 4, 'the images have different inodes');
}

type Tap = typeof t;

t.test('ext2 and ext4', async (t) => {
  const directory = t.testdir();
  const images = new Map<string, string>();
  for (const variant of VARIANTS) {
    for (const fs of ['ext2', 'ext4'] as const) {
      const file = await extImage(join(directory, `${fs}-${variant}`), fs, variant);
      images.set(`${fs}-${variant}`, file);
      t.match(
        read(await run(['e2fsck', '-fn', file])),
        { clean: true, findings: { length: 0 } },
        'sound',
      );
    }
  }
  await judge(t as Tap, 'e2fsck', EXT, (variant, damage) =>
    checkExt(
      images.get(`${damage.fs ?? 'ext2'}-${variant}`) as string,
      damage,
      join(directory, 'copy'),
    ),
  );
});

t.test('xfs', async (t) => {
  const directory = t.testdir();
  const images = new Map<Variant, string>();
  for (const variant of VARIANTS) {
    const file = await xfsImage(join(directory, `xfs-${variant}`), variant);
    images.set(variant, file);
    t.match(
      read(await run(['xfs_repair', '-n', file])),
      { clean: true, findings: { length: 0 } },
      'sound',
    );
  }
  await judge(t as Tap, 'xfs_repair', XFS, (variant, damage) =>
    checkXfs(images.get(variant) as string, damage, join(directory, 'copy')),
  );
});
