import { fileURLToPath } from 'node:url';
import t from 'tap';
import { findProgram } from '../../cli/system/programs.js';
import { writeTree } from '../kernel/fixtures.js';
import { failureOf, makeKernel, read } from './rig.js';

// The case's semantic patches, applied by the real spatch to the code that they are written for.

const skip = findProgram('spatch') === undefined && 'there is no spatch';

const file = (name: string) =>
  fileURLToPath(new URL(`../../kernels/variants/${name}.cocci`, import.meta.url));

const FLAGS = `\
void ext2_set_inode_flags(struct inode *inode)
{
	unsigned int flags = EXT2_I(inode)->i_flags;

	if (flags & EXT2_SYNC_FL)
		inode->i_flags |= S_SYNC;
	if (test_opt(inode->i_sb, DAX) && S_ISREG(inode->i_mode))
		inode->i_flags |= S_DAX;
}
`;

const HEAD =
  'static int\next2_writepages(struct address_space *mapping, struct writeback_control *wbc)\n{\n';
const PAGES = '	return mpage_writepages(mapping, wbc, ext2_get_block);\n}\n';

const MODERN = HEAD + PAGES;
const IN_4_5 = `${HEAD}\
#ifdef CONFIG_FS_DAX
	if (dax_mapping(mapping)) {
		return dax_writeback_mapping_range(mapping, wbc);
	}
#endif

${PAGES}`;

const EVERY_INODE = /test_opt\(inode->i_sb, DAX\)\)\n/;
const REGULAR_ONLY = /test_opt\(inode->i_sb, DAX\) && S_ISREG/;
const RETURNS_0 = /\{\n\tif \(dax_mapping\(mapping\)\)\n\t\treturn 0;\n\treturn mpage_writepages/;

async function apply(t: import('tap').Test, variant: string, writepages: string) {
  const made = makeKernel(t);
  writeTree(made.root, { 'source/fs/ext2/inode.c': writepages + FLAGS });
  return made.apply([file(variant)]);
}

t.test('early-return', { skip }, async (t) => {
  const modern = read(await apply(t, 'early-return', MODERN), 'fs/ext2/inode.c');
  t.match(modern, EVERY_INODE);
  t.match(modern, RETURNS_0);
  const old = read(await apply(t, 'early-return', IN_4_5), 'fs/ext2/inode.c');
  t.match(old, EVERY_INODE);
  t.ok(old.startsWith(IN_4_5), '4.5 returns early');
});

t.test('page-writeback-too', { skip }, async (t) => {
  const modern = read(await apply(t, 'page-writeback-too', MODERN), 'fs/ext2/inode.c');
  t.match(modern, EVERY_INODE);
  t.ok(modern.startsWith(MODERN), 'pages are written');
  const old = read(await apply(t, 'page-writeback-too', IN_4_5), 'fs/ext2/inode.c');
  t.match(old, EVERY_INODE);
  t.match(old, /int flushed = dax_writeback_mapping_range\(mapping, wbc\);\n\n\t\tif \(flushed\)/);
  t.notMatch(old, 'return dax_writeback');
});

t.test('regular-files-only', { skip }, async (t) => {
  for (const shape of [MODERN, IN_4_5]) {
    const text = read(await apply(t, 'regular-files-only', shape), 'fs/ext2/inode.c');
    t.match(text, REGULAR_ONLY);
    t.match(text, /if \(dax_mapping\(mapping\)\) \{\n\t\tWARN_ON_ONCE\(!S_ISREG/);
  }
});

t.test('changes both places or neither', { skip }, async (t) => {
  for (const variant of ['early-return', 'page-writeback-too']) {
    const other = MODERN.replace('mpage_writepages', 'iomap_writepages');
    t.match(failureOf(await apply(t, variant, other)), { kind: 'change-rejected' });
  }
  const failed = await apply(t, 'regular-files-only', MODERN.replaceAll('ext2_writepages', 'x'));
  t.match(failureOf(failed), { message: /has no match/ });
});

const EXT4 = `\
static int ext4_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct inode *inode = mapping->host;

	if (unlikely(ext4_forced_shutdown(EXT4_SB(inode->i_sb))))
		return -EIO;
	return 0;
}
void ext4_set_aops(struct inode *inode)
{
	if (IS_DAX(inode))
		inode->i_mapping->a_ops = &ext4_dax_aops;
	else
		inode->i_mapping->a_ops = &ext4_aops;
}
static bool ext4_should_enable_dax(struct inode *inode)
{
	if (!S_ISREG(inode->i_mode))
		return false;
	if (ext4_should_journal_data(inode))
		return false;
	return true;
}
`;

t.test('ext4-every-inode', { skip }, async (t) => {
  const applied = async (source: string) => {
    const made = makeKernel(t);
    writeTree(made.root, { 'source/fs/ext4/inode.c': source });
    return made.apply([file('ext4-every-inode')]);
  };
  const text = read(await applied(EXT4), 'fs/ext4/inode.c');
  t.match(text, /if \(dax_mapping\(mapping\)\)\n\t\treturn 0;\n\tif \(unlikely\(ext4_forced/);
  t.match(text, /S_ISREG\(inode->i_mode\) && IS_DAX\(inode\)/);
  t.match(text, 'if (S_ISREG(inode->i_mode) && ext4_should_journal_data(inode))');
  t.notMatch(text, '!S_ISREG');
  // All places or none.
  for (const [from, to] of [
    ['ext4_set_aops', 'x'],
    ['ext4_should_enable_dax', 'x'],
    ['ext4_writepages', 'x'],
  ] as const) {
    const failed = failureOf(await applied(EXT4.replace(from, to)));
    t.match(failed, { kind: 'change-rejected' }, from);
  }
});
