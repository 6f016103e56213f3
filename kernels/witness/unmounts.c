// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * What was still to be written when a file system was unmounted.
 *
 * An unmount writes what is dirty (sync_filesystem) and then throws away the inodes with all that
 * is cached of them (evict_inodes). The inodes of ext2, ext4 and xfs are looked at before the one
 * and before the other, and each once more when what is cached of it goes: a file system can write
 * that long. What is dirty then is lost, and nothing in the kernel ever says so. Whoever unmounts,
 * and however often: the looks are taken by kprobes.
 *
 * /proc/daxrepro_witness has what was seen, for guest-scripts/lib/witness.pl to send. Fields are
 * separated by blanks; PATH is the rest of its line, with line breaks and backslashes escaped.
 *
 *     daxrepro_witness 1
 *     layout FIELD OFFSET
 *     totals UNMOUNTS FORGOTTEN
 *     unmount NUMBER TYPE DEVICE SECONDS
 *     look before|synced|dropped INODES SHOWN OMITTED
 *     inode INO MODE DAX SIZE LINKS PAGES DIRTY_PAGES ENTRIES DIRTY_ENTRIES CAPPED PATH
 *
 * Pages are those of the page cache; entries are what DAX has in their place, for mapped or written
 * blocks of the device. Only inodes with something dirty are shown, and those with S_DAX that have
 * pages. Unmounts that left nothing dirty make room for those that did.
 *
 * Where fields are that guest-scripts/lib/trace.pl reads by kprobes is told with them, since only a
 * compiler knows.
 *
 * It changes nothing of what it looks at, and holds no reference.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "witness.h"

#define MOST_INODES 48
#define MOST_UNMOUNTS 12
#define MOST_UNDER_WAY 4
#define LONGEST_PATH 200
/* Entries of one mapping that are looked at. */
#define MOST_ENTRIES 16384

struct seen {
	u64 ino, size;
	u32 links, pages, dirty_pages, entries, dirty_entries;
	umode_t mode;
	bool dax, capped;
	/* Found from its end, as dentry_path_raw() writes it. */
	char path[LONGEST_PATH];
	u8 path_at;
};

struct look {
	u32 inodes, shown, omitted;
	bool taken;
	/* Whether anything is dirty in those shown. */
	bool dirty;
	struct seen seen[MOST_INODES];
};

struct unmount {
	struct super_block *sb;
	u32 number;
	u64 nanoseconds;
	char type[8], device[32];
	struct look before, synced, dropped;
};

struct unmounts {
	spinlock_t lock;
	u32 unmounts, forgotten;
	u32 kept, next_under_way;
	struct unmount unmount[MOST_UNMOUNTS];
	struct unmount under_way[MOST_UNDER_WAY];
};

static struct unmounts *state;

static bool is_ours(struct super_block *sb)
{
	const char *name = sb->s_type->name;

	return !strcmp(name, "ext2") || !strcmp(name, "ext4") || !strcmp(name, "xfs");
}

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
			/* Elsewhere it is the shadow of a page that was reclaimed. */
			seen->entries++;
			seen->dirty_entries += dirty;
		}
	}
	rcu_read_unlock();
}

/* Not by d_find_alias(): to give its reference back one may have to sleep. */
static void find_path(struct inode *inode, struct seen *seen)
{
	struct dentry *dentry;
	char *path;

	seen->path_at = LONGEST_PATH - 1;
	seen->path[seen->path_at] = '\0';
	rcu_read_lock();
	spin_lock(&inode->i_lock);
	dentry = hlist_entry_safe(inode->i_dentry.first, struct dentry, d_u.d_alias);
	spin_unlock(&inode->i_lock);
	if (dentry) {
		path = dentry_path_raw(dentry, seen->path, LONGEST_PATH);
		if (!IS_ERR(path))
			seen->path_at = path - seen->path;
	}
	rcu_read_unlock();
}

static void look_at(struct inode *inode, struct look *look)
{
	struct address_space *mapping = &inode->i_data;
	struct seen *seen;

	if (!mapping_tagged(mapping, PAGECACHE_TAG_DIRTY) && !(IS_DAX(inode) && mapping->nrpages))
		return;
	if (look->shown == MOST_INODES) {
		look->omitted++;
		return;
	}
	/* Where there is nothing to be shown after all, the place is the next one's. */
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

static void begin_look(struct look *look)
{
	look->taken = true;
	look->dirty = false;
	look->inodes = look->shown = look->omitted = 0;
}

static void look_at_all(struct super_block *sb, struct look *look)
{
	struct inode *inode;

	begin_look(look);
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		look->inodes++;
		look_at(inode, look);
	}
	spin_unlock(&sb->s_inode_list_lock);
}

/* Before anything is written, and while the names are still cached. */
static int on_shutdown(struct kprobe *probe, struct pt_regs *regs)
{
	struct super_block *sb = (void *)regs_get_kernel_argument(regs, 0);
	struct unmount *unmount;
	unsigned long flags;
	u32 i;

	if (!sb->s_root || !is_ours(sb))
		return 0;
	spin_lock_irqsave(&state->lock, flags);
	/* The same memory was another one's before. */
	for (i = 0; i < state->kept; i++)
		if (state->unmount[i].sb == sb)
			state->unmount[i].sb = NULL;
	unmount = &state->under_way[state->next_under_way++ % MOST_UNDER_WAY];
	unmount->sb = sb;
	unmount->number = ++state->unmounts;
	unmount->nanoseconds = ktime_get_mono_fast_ns();
	strscpy(unmount->type, sb->s_type->name, sizeof(unmount->type));
	strscpy(unmount->device, sb->s_id, sizeof(unmount->device));
	unmount->synced.taken = unmount->dropped.taken = false;
	look_at_all(sb, &unmount->before);
	spin_unlock_irqrestore(&state->lock, flags);
	return 0;
}

static bool is_notable(const struct unmount *unmount)
{
	return unmount->before.shown || unmount->synced.shown;
}

static struct unmount *place_for(const struct unmount *unmount)
{
	u32 i;

	if (!is_notable(unmount))
		return NULL;
	if (state->kept < MOST_UNMOUNTS)
		return &state->unmount[state->kept++];
	state->forgotten++;
	for (i = 0; unmount->synced.dirty && i < MOST_UNMOUNTS; i++)
		if (!state->unmount[i].synced.dirty)
			return &state->unmount[i];
	return NULL;
}

/* All was written that sync writes. */
static int on_evict(struct kprobe *probe, struct pt_regs *regs)
{
	struct super_block *sb = (void *)regs_get_kernel_argument(regs, 0);
	struct unmount *place;
	unsigned long flags;
	u32 i;

	if (!is_ours(sb))
		return 0;
	spin_lock_irqsave(&state->lock, flags);
	for (i = 0; i < MOST_UNDER_WAY; i++) {
		struct unmount *unmount = &state->under_way[i];

		if (unmount->sb != sb)
			continue;
		look_at_all(sb, &unmount->synced);
		begin_look(&unmount->dropped);
		place = place_for(unmount);
		if (place)
			*place = *unmount;
		unmount->sb = NULL;
		break;
	}
	spin_unlock_irqrestore(&state->lock, flags);
	return 0;
}

/* What is cached of an inode goes now. */
static int on_truncate(struct kprobe *probe, struct pt_regs *regs)
{
	struct address_space *mapping = (void *)regs_get_kernel_argument(regs, 0);
	struct inode *inode = mapping->host;
	unsigned long flags;
	u32 i;

	/* Of a file system that lives on it is what was deleted. */
	if (!inode || mapping != &inode->i_data || inode->i_sb->s_flags & SB_ACTIVE ||
	    !mapping->nrpages || !is_ours(inode->i_sb))
		return 0;
	spin_lock_irqsave(&state->lock, flags);
	for (i = 0; i < state->kept; i++) {
		if (state->unmount[i].sb != inode->i_sb)
			continue;
		state->unmount[i].dropped.inodes++;
		look_at(inode, &state->unmount[i].dropped);
	}
	spin_unlock_irqrestore(&state->lock, flags);
	return 0;
}

static void show_look(struct seq_file *file, const char *when, const struct look *look)
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

static int show(struct seq_file *file, void *unused)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&state->lock, flags);
	seq_puts(file, "daxrepro_witness 1\n");
	seq_printf(file, "layout i_ino %zu\n", offsetof(struct inode, i_ino));
	seq_printf(file, "layout i_sb %zu\n", offsetof(struct inode, i_sb));
	seq_printf(file, "layout s_dev %zu\n", offsetof(struct super_block, s_dev));
	seq_printf(file, "totals %u %u\n", state->unmounts, state->forgotten);
	for (i = 0; i < state->kept; i++) {
		const struct unmount *unmount = &state->unmount[i];

		seq_printf(file, "unmount %u %s %s %llu\n", unmount->number, unmount->type,
			   unmount->device, unmount->nanoseconds / NSEC_PER_SEC);
		show_look(file, "before", &unmount->before);
		show_look(file, "synced", &unmount->synced);
		show_look(file, "dropped", &unmount->dropped);
	}
	spin_unlock_irqrestore(&state->lock, flags);
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "generic_shutdown_super", .pre_handler = on_shutdown },
	{ .symbol_name = "evict_inodes", .pre_handler = on_evict },
	{ .symbol_name = "truncate_inode_pages_final", .pre_handler = on_truncate },
};

int unmounts_begin(void)
{
	int error;
	size_t i;

	state = vzalloc(sizeof(*state));
	if (!state)
		return -ENOMEM;
	spin_lock_init(&state->lock);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		error = register_kprobe(&probes[i]);
		/* By a breakpoint it would take locks in a place where lockdep forbids it. */
		if (!error && IS_ENABLED(CONFIG_LOCKDEP) && !kprobe_ftrace(&probes[i])) {
			unregister_kprobe(&probes[i]);
			error = -EOPNOTSUPP;
		}
		if (error)
			goto undo;
	}
	error = -ENOMEM;
	if (!proc_create_single("daxrepro_witness", 0400, NULL, show))
		goto undo;
	return 0;
undo:
	while (i-- > 0)
		unregister_kprobe(&probes[i]);
	vfree(state);
	return error;
}

void unmounts_end(void)
{
	size_t i;

	remove_proc_entry("daxrepro_witness", NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		unregister_kprobe(&probes[i]);
	vfree(state);
}
