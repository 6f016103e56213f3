import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { findProgram } from '../../cli/system/programs.js';
import { writeTree } from '../kernel/fixtures.js';
import { failureOf, makeKernel, read } from './rig.js';

// The variants that lose flushes, applied by the real spatch to the code of 5.10, 6.1 and 6.12.

const skip = findProgram('spatch') === undefined && 'there is no spatch';

const file = (name: string) =>
  fileURLToPath(new URL(`../../kernels/variants/${name}.cocci`, import.meta.url));

const EXT2_INODE = `\
static int
ext2_dax_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct ext2_sb_info *sbi = EXT2_SB(mapping->host->i_sb);

	return dax_writeback_mapping_range(mapping, sbi->s_daxdev, wbc);
}
`;
const XFS_AOPS = `\
STATIC int
xfs_dax_writepages(
	struct address_space	*mapping,
	struct writeback_control *wbc)
{
	struct xfs_inode	*ip = XFS_I(mapping->host);

	xfs_iflags_clear(ip, XFS_ITRUNCATED);
	return dax_writeback_mapping_range(mapping,
			xfs_inode_buftarg(ip)->bt_daxdev, wbc);
}
`;
const fsync = (call: string) => `\
int ext2_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	int ret;

	ret = ${call}(file, start, end, datasync);
	return ret;
}
`;
const xfsFsync = (call: string) => `\
STATIC int
xfs_file_fsync(
	struct file		*file,
	int			datasync)
{
	int			error = 0;

	if (!error)
		${call};
	return error;
}
`;

async function apply(t: Test, variant: string, files: Record<string, string>) {
  const made = makeKernel(t);
  const sources = Object.entries(files).map(([path, text]) => [`source/fs/${path}`, text]);
  writeTree(made.root, Object.fromEntries(sources));
  return made.apply([file(variant)]);
}

t.test('dax-no-flush', { skip }, async (t) => {
  const source = await apply(t, 'dax-no-flush', {
    'ext2/inode.c': EXT2_INODE,
    'xfs/xfs_aops.c': XFS_AOPS,
  });
  for (const path of ['fs/ext2/inode.c', 'fs/xfs/xfs_aops.c']) {
    t.match(read(source, path), /\treturn 0;\n\}/, path);
    t.notMatch(read(source, path), /dax_writeback_mapping_range/, path);
  }
});

t.test('dax-all-but-last-line', { skip }, async (t) => {
  const source = await apply(t, 'dax-all-but-last-line', {
    'ext2/inode.c': EXT2_INODE,
    'xfs/xfs_aops.c': XFS_AOPS,
  });
  for (const path of ['fs/ext2/inode.c', 'fs/xfs/xfs_aops.c']) {
    const text = read(source, path);
    t.match(text, /size - L1_CACHE_BYTES\);/, path);
    t.match(text, /\treturn writeback_all_but_last_line\(mapping,/, path);
    t.notMatch(text, /dax_writeback_mapping_range/, path);
  }
});

t.test('dax-no-fence', { skip }, async (t) => {
  for (const [call, without] of [
    ['generic_file_fsync', '__generic_file_fsync'],
    ['generic_buffers_fsync', 'generic_buffers_fsync_noflush'],
  ] as const) {
    const source = await apply(t, 'dax-no-fence', { 'ext2/file.c': fsync(call) });
    t.match(read(source, 'fs/ext2/file.c'), `ret = ${without}(file`, call);
  }
  for (const call of [
    'error = blkdev_issue_flush(mp->m_ddev_targp->bt_bdev)',
    'xfs_blkdev_issue_flush(mp->m_ddev_targp)',
  ]) {
    const source = await apply(t, 'dax-no-fence', { 'xfs/xfs_file.c': xfsFsync(call) });
    t.notMatch(read(source, 'fs/xfs/xfs_file.c'), /issue_flush/, call);
  }
});

t.test('a kernel without separate operations for DAX', { skip }, async (t) => {
  const before = EXT2_INODE.replace('ext2_dax_writepages', 'ext2_writepages');
  for (const variant of ['dax-no-flush', 'dax-all-but-last-line']) {
    t.match(failureOf(await apply(t, variant, { 'ext2/inode.c': before })), {
      kind: 'change-rejected',
    });
  }
});
