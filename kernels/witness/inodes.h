/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * A look at the inodes of a file system: which have something dirty in the page cache, or in DAX.
 */
#pragma once

#include <linux/fs.h>
#include <linux/seq_file.h>

#define MOST_INODES 48
#define LONGEST_PATH 200

struct seen {
	u64 ino, size;
	u32 links, pages, dirty_pages, entries, dirty_entries;
	umode_t mode;
	bool dax, capped;
	/* From `path_at` on: dentry_path_raw() writes it from its end. */
	char path[LONGEST_PATH];
	u8 path_at;
};

struct look {
	u32 inodes, shown, omitted;
	bool taken;
	/* Whether any of those shown has something dirty. */
	bool dirty;
	struct seen seen[MOST_INODES];
};

void look_begin(struct look *look);
void look_at(struct inode *inode, struct look *look);
void look_at_all(struct super_block *sb, struct look *look);

/* Prints it in the form that unmounts.c describes. */
void look_show(struct seq_file *file, const char *when, const struct look *look);
