import t from 'tap';
import { inodeTypeOf } from '../../cli/record/inode-type.js';
import { readUnmounts } from '../../cli/record/unmounts.js';

// As kernels/witness wrote it for the case of 2016, except for the path.
const TEXT = `daxrepro_witness 1
totals 3 0
unmount 1 ext2 pmem0 7
look before 3 2 1
inode 8193 40755 1 4096 2 1 1 0 0 0 /a\\012b \\134 c
inode 14 100644 1 65536 1 0 0 16 12 1 /f
look synced 3 0 0
look dropped 2 1 0
inode 8193 40755 1 4096 2 1 1 0 0 0 
`;

t.test('parses what the witness writes', (t) => {
  const cached = { pages: 1, dirtyPages: 1, daxEntries: 0, dirtyDaxEntries: 0, atLeast: false };
  const directory = {
    inode: 8193,
    inodeType: 'directory',
    dax: true,
    size: 4096,
    links: 2,
    cached,
  };
  t.strictSame(readUnmounts(TEXT), {
    total: 3,
    forgotten: 0,
    unmounts: [
      {
        number: 1,
        fs: 'ext2',
        device: 'pmem0',
        before: {
          inodes: 3,
          omitted: 1,
          shown: [
            { ...directory, path: '/a\nb \\ c' },
            {
              ...{ inode: 14, inodeType: 'regular file', dax: true, size: 65536, links: 1 },
              cached: {
                pages: 0,
                dirtyPages: 0,
                daxEntries: 16,
                dirtyDaxEntries: 12,
                atLeast: true,
              },
              path: '/f',
            },
          ],
        },
        synced: { inodes: 3, omitted: 0, shown: [] },
        dropped: { inodes: 2, omitted: 0, shown: [directory] },
      },
    ],
  });
  t.end();
});

t.test('survives anything that a guest sends', (t) => {
  t.equal(readUnmounts(''), undefined);
  t.equal(readUnmounts('daxrepro_witness 2\ntotals 1 0\n'), undefined);
  // Truncated at any byte: complete lines are read, nothing throws.
  for (let end = 0; end < TEXT.length; end += 1) {
    const log = readUnmounts(TEXT.slice(0, end));
    t.ok(log === undefined || log.unmounts.length <= 1);
  }
  t.match(readUnmounts('daxrepro_witness 1\ninode 1 40755 1 1 1 1 1 0 0 0 /\nlook before 1 1 0'), {
    total: 0,
    unmounts: { length: 0 },
  });
  const flood = 'unmount 1 ext2 pmem0 7\nlook before 1 1 0\ninode 1 40755 1 1 1 1 1 0 0 0 /\n';
  const log = readUnmounts(`daxrepro_witness 1\n${flood.repeat(5000)}`);
  t.equal(log?.unmounts.length, 100);
  const many = 'inode 1 40755 1 1 1 1 1 0 0 0 /\n'.repeat(5000);
  const one = readUnmounts(
    `daxrepro_witness 1\nunmount 1 ext2 pmem0 7\nlook dropped 1 1 0\n${many}`,
  );
  t.equal(one?.unmounts[0]?.dropped?.shown.length, 2000);
  t.end();
});

t.test('names the types of inodes by their mode', (t) => {
  const types = ['directory', 'regular file', 'symlink', 'fifo', 'socket', 'block device'];
  const modes = ['40755', '100644', '120777', '10600', '140755', '60660'];
  t.strictSame(
    modes.map((mode) => inodeTypeOf(Number.parseInt(mode, 8))),
    types,
  );
  t.equal(inodeTypeOf(0o20600), 'character device');
  t.equal(inodeTypeOf(0), 'unknown');
  t.end();
});
