/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Mounts and unmounts of watched file systems, as marks (sync-calls.c has them). */
#pragma once

#include <linux/fs.h>
#include <linux/kprobes.h>

/* What a probe keeps until its function returns. */
struct mount {
	struct super_block *sb;
};

/*
 * Probes: the file system's fill_super, which has recovered it when it returns;
 * generic_shutdown_super.
 */
int on_fill(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_filled(struct kretprobe_instance *instance, struct pt_regs *regs);
int on_shutdown(struct kprobe *probe, struct pt_regs *regs);
