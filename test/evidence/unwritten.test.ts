import t from 'tap';
import { explainUnit } from '../../cli/evidence/unit.js';
import { unwrittenAt } from '../../cli/evidence/unwritten.js';
import type { UnitRecord } from '../../cli/record/record.js';
import type { CachedData, SeenInode, Unmount, UnmountLog } from '../../cli/record/unmounts.js';
import { readUnmounts } from '../../cli/record/unmounts.js';
import { explainUnwritten } from '../../cli/report/unwritten.js';

const CLEAN: CachedData = {
  ...{ pages: 0, dirtyPages: 0, daxEntries: 0, dirtyDaxEntries: 0 },
  atLeast: false,
};

function seen(inode: number, inodeType: string, more: Partial<SeenInode> = {}): SeenInode {
  const cached = { ...CLEAN, pages: 1, dirtyPages: 1 };
  return { inode, inodeType, dax: true, size: 4096, links: 2, cached, ...more };
}

function unmount(dropped: SeenInode[], before = dropped, omitted = 0): Unmount {
  return {
    ...{ number: 1, fs: 'ext2', device: 'pmem0' },
    before: { inodes: 9, shown: before, omitted: 0 },
    synced: { inodes: 9, shown: dropped, omitted: 0 },
    dropped: { inodes: 9, shown: dropped, omitted },
  };
}

const log = (...unmounts: Unmount[]): UnmountLog => ({
  total: unmounts.length,
  forgotten: 0,
  unmounts,
});

const explained = (...unmounts: Unmount[]) => explainUnwritten(unwrittenAt(log(...unmounts)));

t.test('the sentence of February 2016', (t) => {
  const root = seen(2, 'directory');
  const three = { ...CLEAN, pages: 3, dirtyPages: 3 };
  const links = seen(12, 'directory', { cached: three });
  const named = [
    { ...links, path: '/d' },
    { ...root, path: '/' },
  ];
  const sentence =
    'directory inodes have S_DAX set, but had dirty page-cache pages that the unmount did not write: inode 2 (/) 1 page, inode 12 (/d) 3 pages';
  t.strictSame(explained(unmount([links, root], named)), [sentence]);
  // The same inode at a second unmount is the same inode.
  t.strictSame(explained(unmount([links, root], named), unmount([root])), [sentence]);
  t.match(unwrittenAt(log(unmount([links], named))), {
    known: true,
    unmounts: 1,
    inodes: [{ device: 'pmem0', inode: 12, path: '/d', dax: true, dropped: three, before: three }],
  });
  t.end();
});

t.test("ext4's part of it, as a guest's witness told it on 5.10: symbolic links", (t) => {
  const text = `daxrepro_witness 1
layout i_ino 64
totals 3 0
unmount 1 ext4 pmem0 56
look before 32 2 0
inode 40 120777 1 4095 1 1 1 0 0 0 /links/4095
inode 18 120777 1 60 1 1 1 0 0 0 /links/60
look synced 32 2 0
inode 40 120777 1 4095 1 1 1 0 0 0 
inode 18 120777 1 60 1 1 1 0 0 0 
look dropped 32 2 0
inode 40 120777 1 4095 1 1 1 0 0 0 
inode 18 120777 1 60 1 1 1 0 0 0 
`;
  const read = readUnmounts(text);
  t.strictSame(read && explainUnwritten(unwrittenAt(read)), [
    'symbolic link inodes have S_DAX set, but had dirty page-cache pages that the unmount did not write: inode 18 (/links/60) 1 page, inode 40 (/links/4095) 1 page',
  ]);
  t.end();
});

t.test('each type of inode and each kind of data has a sentence', (t) => {
  const entries = { ...CLEAN, daxEntries: 9, dirtyDaxEntries: 1, atLeast: true };
  t.strictSame(
    explained(
      unmount([
        seen(13, 'symlink', { path: '/s\x1b[2J' }),
        seen(14, 'regular file', { cached: entries }),
        seen(15, 'regular file', { dax: false }),
      ]),
    ),
    [
      'symbolic link inodes have S_DAX set, but had dirty page-cache pages that the unmount did not write: inode 13 (/s\\x1b[2J) 1 page',
      'regular file inodes had dirty page-cache pages that the unmount did not write: inode 15 1 page',
      'regular file inodes had dirty DAX entries that the unmount did not flush: inode 14 at least 1 entry',
    ],
  );
  t.end();
});

t.test('many inodes, and those for which there was no room', (t) => {
  const many = Array.from({ length: 9 }, (_, n) => seen(20 + n, 'directory'));
  t.match(explained(unmount(many, many, 4)), [
    /: inode 20 1 page, .*inode 25 1 page, and 3 more$/,
    '4 more inodes with dirty data did not fit into the list',
  ]);
  t.end();
});

t.test('what was written in the end is not lost', (t) => {
  const written = seen(12, 'directory', { cached: { ...CLEAN, pages: 2 } });
  t.strictSame(explained(unmount([written], [seen(12, 'directory')])), [
    'directory inodes have S_DAX set, but also page-cache pages, which were written (1 inode)',
    '1 unmount left no dirty data unwritten',
  ]);
  // After a loss it is read again, clean.
  t.match(explained(unmount([seen(12, 'directory')]), unmount([written])), { length: 1 });
  // Deleted, and open to the end: nobody wants what it held.
  const deleted = seen(13, 'regular file', { dax: false, links: 0 });
  t.strictSame(explained(unmount([deleted])), ['1 unmount left no dirty data unwritten']);
  t.end();
});

t.test('an unknown result has a reason', (t) => {
  const record = { ending: { kind: 'finished' }, events: [] } as unknown as UnitRecord;
  const sentence = (more: Partial<UnitRecord>, missing?: string) =>
    explainUnwritten(
      explainUnit({ ...record, ...more }, { verdict: 'fail', findings: [] }, { missing }).unwritten,
    )[0];
  t.match(sentence({}, 'this kernel has no CONFIG_KPROBES'), /unwritten: .*CONFIG_KPROBES$/);
  t.match(sentence({}), /unwritten: the guest's kernel did not load daxrepro's module$/);
  t.match(
    sentence({ ending: { kind: 'panic', message: 'x' } }),
    /unwritten: the guest ended before/,
  );
  t.match(sentence({ unmounts: log() }), /unwritten: nothing was unmounted$/);
  t.match(
    sentence({ unmounts: { ...log(), total: 9, forgotten: 2 } }),
    /no room to record 2 unmounts/,
  );
  t.strictSame(explainUnit(record, { verdict: 'pass', findings: [] }, {}), { findings: [] });
  t.strictSame(explainUnit(record, { verdict: 'error', findings: [] }, {}), { findings: [] });
  t.end();
});
