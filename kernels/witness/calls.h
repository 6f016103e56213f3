/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Sync calls: when each begins and has returned, and what it promises, as marks (sync-calls.c has
 * them).
 */
#pragma once

#include <linux/fs.h>
#include <linux/kprobes.h>

/* What a probe keeps until its function returns. */
struct call {
	u64 number;
	/* ALL_DEVICES for sync. */
	int device;
	/* NULL for sync and syncfs. */
	struct file *file;
	loff_t from, to;
	u64 size, blocks;
	u32 links, place;
	int written, taken;
	bool busy, data_only;
};

/* How many calls began, and how many of them failed. */
long long calls_begun(void);
long long calls_failed(void);

/* Probes: the file system's fsync, and the system calls sync and syncfs. */
int on_fsync(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_fsync_done(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_sync(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_sync_done(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_syncfs(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_syncfs_done(struct kretprobe_instance *instance, struct pt_regs *regs);
