/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Operations that change files: writes, and those that take blocks from a file (a truncation,
 * fallocate). Files are told apart by a hash of their inodes: two with the same hash are taken
 * for one.
 */
#pragma once

#include <linux/fs.h>
#include <linux/kprobes.h>

/* The place of all files together. */
#define ALL_FILES CHANGE_PLACES
#define CHANGE_PLACES 1024

u32 place_of(struct inode *inode);

/* How many changes are under way at a place. */
int changes_under_way(u32 place);
/* How many writes, and how many operations that take blocks, have begun at a place. */
int changes_written(u32 place);
int changes_taken(u32 place);

/* Probes: the file system's write_iter, notify_change and vfs_fallocate. */
int on_write(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_attributes(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_fallocate(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_changed(struct kretprobe_instance *instance, struct pt_regs *regs);

/* What each of them keeps until its function returns. */
struct change {
	u32 place;
};
