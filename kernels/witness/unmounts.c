// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Reports what was still to be written when a file system was unmounted.
 *
 * An unmount writes what is dirty (sync_filesystem), and then discards the inodes with everything
 * that is cached of them (evict_inodes). What is dirty then is lost, and the kernel never says
 * so. Probes look at the inodes of ext2, ext4 and xfs before each of the two, and once more at
 * each inode when its cache is discarded, since a file system can write until then.
 *
 * guest-scripts/lib/reporter.pl sends /proc/daxrepro_witness to the host. It has one item on each
 * line, with blanks between its fields. PATH is the rest of its line; line breaks and backslashes
 * in it are escaped.
 *
 *     daxrepro_witness 1
 *     layout FIELD OFFSET
 *     totals UNMOUNTS FORGOTTEN
 *     unmount NUMBER TYPE DEVICE SECONDS
 *     look before|synced|dropped INODES SHOWN OMITTED
 *     inode INO MODE DAX SIZE LINKS PAGES DIRTY_PAGES ENTRIES DIRTY_ENTRIES CAPPED PATH
 *
 * Pages are those of the page cache. Entries are what DAX has in place of pages, for blocks of
 * the device that are mapped or were written. Only inodes with something dirty are shown, and
 * inodes with S_DAX that have pages. Unmounts that left nothing dirty make room for those that
 * did.
 *
 * `layout` tells where guest-scripts/lib/trace.pl finds the fields that it reads by kprobes: only
 * a compiler knows that.
 *
 * The module changes nothing of what it looks at, and holds no reference.
 */
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "inodes.h"
#include "witness.h"

#define MOST_UNMOUNTS 12
#define MOST_UNDER_WAY 4

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

/* Before anything is written, while the names are still cached. */
static int on_shutdown(struct kprobe *probe, struct pt_regs *regs)
{
	struct super_block *sb = (void *)regs_get_kernel_argument(regs, 0);
	struct unmount *unmount;
	unsigned long flags;
	u32 i;

	if (!sb->s_root || !is_ours(sb))
		return 0;
	spin_lock_irqsave(&state->lock, flags);
	/* A superblock before it may have had the same memory. */
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

/* Everything was written that a sync writes. */
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
		look_begin(&unmount->dropped);
		place = place_for(unmount);
		if (place)
			*place = *unmount;
		unmount->sb = NULL;
		break;
	}
	spin_unlock_irqrestore(&state->lock, flags);
	return 0;
}

/* The cache of an inode is discarded now. */
static int on_truncate(struct kprobe *probe, struct pt_regs *regs)
{
	struct address_space *mapping = (void *)regs_get_kernel_argument(regs, 0);
	struct inode *inode = mapping->host;
	unsigned long flags;
	u32 i;

	/* If the file system lives on, the file was deleted. */
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
		look_show(file, "before", &unmount->before);
		look_show(file, "synced", &unmount->synced);
		look_show(file, "dropped", &unmount->dropped);
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
		/* A probe by a breakpoint would take locks where lockdep forbids it. */
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
