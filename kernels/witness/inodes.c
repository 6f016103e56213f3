// SPDX-License-Identifier: MIT OR GPL-2.0
#include "inodes.h"

#include <linux/dcache.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/version.h>
#include <linux/xarray.h>

/* Entries of one mapping that are looked at. */
#define MOST_ENTRIES 16384

static u32 pages_of(void *entry)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0)
	return folio_nr_pages(entry);
#else
	/* A compound page has an entry for each of its pages. */
	return 1;
#endif
}

static void count_pages(struct inode *inode, struct seen *seen)
{
	XA_STATE(xas, &inode->i_data.i_pages, 0);
	u32 entries = 0;
	void *entry;

	rcu_read_lock();
	xas_for_each(&xas, entry, ULONG_MAX) {
		bool dirty;

		if (xas_retry(&xas, entry))
			continue;
		if (++entries > MOST_ENTRIES) {
			seen->capped = true;
			break;
		}
		dirty = xas_get_mark(&xas, PAGECACHE_TAG_DIRTY);
		if (!xa_is_value(entry)) {
			u32 pages = pages_of(entry);

			seen->pages += pages;
			seen->dirty_pages += dirty ? pages : 0;
		} else if (IS_DAX(inode)) {
			/* Without DAX it is the shadow of a page that was reclaimed. */
			seen->entries++;
			seen->dirty_entries += dirty;
		}
	}
	rcu_read_unlock();
}

/* Without d_find_alias(): giving its reference back may sleep. */
static void find_path(struct inode *inode, struct seen *seen)
{
	struct dentry *dentry;
	char *path;

	seen->path_at = LONGEST_PATH - 1;
	seen->path[seen->path_at] = '\0';
	rcu_read_lock();
	spin_lock(&inode->i_lock);
	dentry = hlist_entry_safe(inode->i_dentry.first, struct dentry, D_ALIAS);
	spin_unlock(&inode->i_lock);
	if (dentry) {
		path = dentry_path_raw(dentry, seen->path, LONGEST_PATH);
		if (!IS_ERR(path))
			seen->path_at = path - seen->path;
	}
	rcu_read_unlock();
}

void look_at(struct inode *inode, struct look *look)
{
	struct address_space *mapping = &inode->i_data;
	struct seen *seen;

	if (!mapping_tagged(mapping, PAGECACHE_TAG_DIRTY) && !(IS_DAX(inode) && mapping->nrpages))
		return;
	if (look->shown == MOST_INODES) {
		look->omitted++;
		return;
	}
	/* If there is nothing to show after all, the next inode gets the place. */
	seen = &look->seen[look->shown];
	memset(seen, 0, offsetof(struct seen, path));
	count_pages(inode, seen);
	if (!seen->dirty_pages && !seen->dirty_entries && !(IS_DAX(inode) && seen->pages))
		return;
	look->dirty |= seen->dirty_pages || seen->dirty_entries;
	seen->ino = inode->i_ino;
	seen->size = i_size_read(inode);
	seen->links = inode->i_nlink;
	seen->mode = inode->i_mode;
	seen->dax = IS_DAX(inode);
	find_path(inode, seen);
	look->shown++;
}

void look_begin(struct look *look)
{
	look->taken = true;
	look->dirty = false;
	look->inodes = look->shown = look->omitted = 0;
}

void look_at_all(struct super_block *sb, struct look *look)
{
	struct inode *inode;

	look_begin(look);
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		look->inodes++;
		look_at(inode, look);
	}
	spin_unlock(&sb->s_inode_list_lock);
}

void look_show(struct seq_file *file, const char *when, const struct look *look)
{
	u32 i;

	if (!look->taken)
		return;
	seq_printf(file, "look %s %u %u %u\n", when, look->inodes, look->shown, look->omitted);
	for (i = 0; i < look->shown; i++) {
		const struct seen *seen = &look->seen[i];

		seq_printf(file, "inode %llu %o %d %llu %u %u %u %u %u %d ", seen->ino, seen->mode,
			   seen->dax, seen->size, seen->links, seen->pages, seen->dirty_pages,
			   seen->entries, seen->dirty_entries, seen->capped);
		seq_escape(file, seen->path + seen->path_at, "\n\\");
		seq_putc(file, '\n');
	}
}
