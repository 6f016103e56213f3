// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Reports what the sync calls of any program promise, to the plugin that cuts a guest's power. It
 * reports by marks (marks.h), which do nothing without the plugin.
 *
 * Probes are set on the file system's own fsync operation, in which fsync, fdatasync, msync, and
 * writes with O_SYNC end, whoever calls them and however the program was built; and on the system
 * calls sync and syncfs. One mark comes when the call begins. Another one comes when the call has
 * returned 0, in its own context:
 *
 *     {"kind":"call","by":"fsync","device":0,"inode":12,"generation":0,"from":0,
 *      "to":9007199254740991,"size":4096,"blocks":8,"links":1,"kept":true,"unchanged":true,
 *      "program":"fsx","path":"/a"}
 *     {"kind":"call","by":"sync","kept":true,"program":"sync"}
 *     {"kind":"call","by":"syncfs","device":0,"kept":true,"program":"xfs_io"}
 *
 * `device` counts from 0, in the order in which the devices were named. `kept`: no write was
 * under way when the call began, and nothing was truncated, allocated or punched out meanwhile,
 * so what was stored before the call still belongs to the file. `unchanged`: nothing was written
 * either, so the size and the number of blocks (of 512 bytes) were these all the time. `path` is
 * the one by which the file was opened, if it fits. Other marks:
 *
 *     {"kind":"mounted","device":0}        a mount has recovered what there was to recover
 *     {"kind":"unmounting","device":0}
 *     {"kind":"calls","seen":3,"failed":0,"missed":0}    the last one
 *
 * All of them are between a mark to begin, with the record `calls`, and one to end. The module
 * waits until /proc/daxrepro_sync_calls is told what to watch, `ext4 pmem0 pmem1`; `end` ends it.
 */
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

#include "calls.h"
#include "changes.h"
#include "devices.h"
#include "marks.h"
#include "mounts.h"
#include "witness.h"

/* Calls that are under way at the same time. */
#define MOST_AT_ONCE 512

enum { OF_FSYNC, OF_WRITE, OF_MOUNT, OF_TYPE };

static const struct {
	const char *type, *names[OF_TYPE], *other_fill;
} functions[] = {
	{ "ext2", { "ext2_fsync", "ext2_file_write_iter", "ext2_fill_super" }, NULL },
	{ "ext4", { "ext4_sync_file", "ext4_file_write_iter", "ext4_fill_super" }, NULL },
	/* The last one is 5.10's. */
	{
		"xfs",
		{ "xfs_file_fsync", "xfs_file_write_iter", "xfs_fs_fill_super" },
		"xfs_fc_fill_super",
	},
};

/* clang-format off */
#define PROBE(symbol, entry, end, type)                                                          \
	{ .kp.symbol_name = symbol, .entry_handler = entry, .handler = end,                      \
	  .data_size = sizeof(struct type), .maxactive = MOST_AT_ONCE }
/* clang-format on */

static const struct kretprobe wanted[] = {
	[OF_FSYNC] = PROBE(NULL, on_fsync, on_fsync_done, call),
	[OF_WRITE] = PROBE(NULL, on_write, on_changed, change),
	[OF_MOUNT] = PROBE(NULL, on_fill, on_filled, mount),
	PROBE("notify_change", on_attributes, on_changed, change),
	PROBE("vfs_fallocate", on_fallocate, on_changed, change),
	PROBE("__x64_sys_sync", on_sync, on_sync_done, call),
	PROBE("__x64_sys_syncfs", on_syncfs, on_syncfs_done, call),
};

/* Those that are set. A probe cannot be set again in the state in which it was removed. */
static struct kretprobe probes[ARRAY_SIZE(wanted)];
static struct kprobe shutdown;
static bool looking;
static DEFINE_MUTEX(mutex);

static int missed(void)
{
	int sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		sum += probes[i].nmissed + probes[i].kp.nmissed;
	return sum;
}

static void unset(size_t count)
{
	while (count-- > 0)
		unregister_kretprobe(&probes[count]);
}

static int set(size_t i, const char *symbol)
{
	probes[i] = wanted[i];
	if (symbol)
		probes[i].kp.symbol_name = symbol;
	return register_kretprobe(&probes[i]);
}

static int set_all(const char *type)
{
	size_t i, of = 0;
	int error;

	while (of < ARRAY_SIZE(functions) && strcmp(functions[of].type, type))
		of++;
	if (of == ARRAY_SIZE(functions))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		error = set(i, i < OF_TYPE ? functions[of].names[i] : NULL);
		if (error == -ENOENT && i == OF_MOUNT && functions[of].other_fill)
			error = set(i, functions[of].other_fill);
		if (error) {
			pr_err("daxrepro_witness: cannot set a probe on %s: %d\n",
			       probes[i].kp.symbol_name, error);
			unset(i);
			return error;
		}
	}
	shutdown = (struct kprobe){ .symbol_name = "generic_shutdown_super",
				    .pre_handler = on_shutdown };
	error = register_kprobe(&shutdown);
	if (error)
		unset(ARRAY_SIZE(probes));
	return error;
}

static void stop(void)
{
	struct text text;

	if (!looking)
		return;
	unregister_kprobe(&shutdown);
	unset(ARRAY_SIZE(probes));
	looking = false;
	preempt_disable();
	text = text_begin("calls");
	text_add(&text, ",\"seen\":%lld,\"failed\":%lld,\"missed\":%d}", calls_begun(),
		 calls_failed(), missed());
	MARK(MARK_RECORD, text.at, text.used, 0, 0);
	MARK(MARK_END, "", 0, 0, 0);
	preempt_enable();
}

/* `TYPE DEVICE...`, or `end`. */
static int obey(char *words)
{
	char *type = strsep(&words, " "), *device;
	int error;

	if (!strcmp(type, "end")) {
		stop();
		return 0;
	}
	if (looking)
		return -EBUSY;
	devices_begin();
	while ((device = strsep(&words, " "))) {
		error = devices_add(device);
		if (error)
			return error;
	}
	error = set_all(type);
	if (error)
		return error;
	looking = true;
	MARK(MARK_BEGIN, "calls", strlen("calls"), 0, 0);
	return 0;
}

static ssize_t on_order(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	char words[128];
	int error;

	if (length >= sizeof(words))
		return -EINVAL;
	if (copy_from_user(words, from, length))
		return -EFAULT;
	words[length] = '\0';
	mutex_lock(&mutex);
	error = obey(strim(words));
	mutex_unlock(&mutex);
	return error ? error : length;
}

static const struct proc_ops operations = {
	.proc_write = on_order,
};

int sync_calls_begin(void)
{
	return proc_create("daxrepro_sync_calls", 0200, NULL, &operations) ? 0 : -ENOMEM;
}

void sync_calls_end(void)
{
	remove_proc_entry("daxrepro_sync_calls", NULL);
	stop();
}
