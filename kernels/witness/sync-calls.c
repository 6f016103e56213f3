// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * What the sync calls of any program promise, told to the plugin that cuts a guest's power: by marker
 * instructions, which do nothing without it (guest-scripts/programs/marker.h has their form).
 *
 * Looked at are the file system's own fsync operation, which is what fsync, fdatasync, msync and writes
 * with O_SYNC end in, whoever calls it and however the program was made; and the system calls sync and
 * syncfs. One mark comes when the call begins, and one when it has returned 0, in its own context:
 *
 *     {"kind":"call","by":"fsync","device":0,"inode":12,"generation":0,"from":0,
 *      "to":9007199254740991,"size":4096,"blocks":8,"links":1,"kept":true,"unchanged":true,
 *      "program":"fsx","path":"/a"}
 *     {"kind":"call","by":"sync","kept":true,"program":"sync"}
 *     {"kind":"call","by":"syncfs","device":0,"kept":true,"program":"xfs_io"}
 *
 * `device` counts from 0 in the order in which they were named. `kept`: no write was under way when the
 * call began, and nothing was truncated or punched out meanwhile, so that what was stored before it still
 * belongs to the file. `unchanged`: neither was anything written, so that its size and number of blocks
 * (of 512 bytes) were these all the time. PATH is that by which the file was opened, where it fits. Other
 * marks:
 *
 *     {"kind":"mounted","device":0}               a mount has recovered what there was to recover
 *     {"kind":"unmounting","device":0}
 *     {"kind":"calls","seen":3,"failed":0,"missed":0}
 *
 * All of it lies between a mark to begin, `calls`, and one to end. It sleeps until
 * /proc/daxrepro_sync_calls is told what to look at, `ext4 pmem0 pmem1`; `end` ends it.
 */
#include <linux/atomic.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "witness.h"

#define MARK_BEGIN "0x01"
#define MARK_RECORD "0x02"
#define MARK_END "0x04"
#define MARK_CALL "0x05"
#define MARK_RETURN "0x06"

#define MARK(kind, record, length, number, device)                                              \
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00, " kind ", 0x44, 0x41, 0x58"                 \
		     :                                                                          \
		     : "D"(record), "S"((unsigned long)(length)), "d"((unsigned long)(number)), \
		       "c"((long)(device))                                                      \
		     : "memory")
/* In place of a device's number. */
#define ALL_DEVICES -1

#define MOST_DEVICES 4
#define LONGEST_PATH 256
#define LONGEST_RECORD 2048
/* Calls that are under way at the same time. */
#define MOST_AT_ONCE 512
/* The largest number that JSON's readers have exactly. */
#define EXACT ((1ull << 53) - 1)

/* Files by a hash of their inodes: two that share a place are taken for one. */
#define PLACES 1024
/* One more for all of them. */
#define ALL PLACES

/* Operations that write, or that take blocks from a file: under way, and begun so far. */
static atomic_t under_way[PLACES + 1], written[PLACES + 1], taken[PLACES + 1];

static char devices[MOST_DEVICES][sizeof(((struct super_block *)0)->s_id)];
static int device_count;
static atomic64_t calls, failed;

struct call {
	u64 number;
	/* ALL_DEVICES for sync. */
	int device;
	/* NULL but for calls on one file. */
	struct file *file;
	loff_t from, to;
	u64 size, blocks;
	u32 links, place;
	int written, taken;
	bool busy, data_only;
};

/* Less than 0 where it is none that is looked at. */
static int device_of(struct super_block *sb)
{
	int i;

	for (i = 0; i < device_count; i++)
		if (!strcmp(sb->s_id, devices[i]))
			return i;
	return -ENODEV;
}

static bool is_watched(struct super_block *sb)
{
	return device_of(sb) >= 0;
}

static u32 place_of(struct inode *inode)
{
	return hash_ptr(inode, ilog2(PLACES));
}

/* ---- marks ---- */

struct text {
	char *at;
	size_t used;
};

static __printf(2, 3) void add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->used +=
		vscnprintf(text->at + text->used, LONGEST_RECORD - text->used, format, arguments);
	va_end(arguments);
}

/* Bytes beyond ASCII as they would be in Latin-1: the reader knows. */
static void add_string(struct text *text, const char *name, const char *value)
{
	add(text, ",\"%s\":\"", name);
	for (; *value && text->used < LONGEST_RECORD - 16; value++) {
		unsigned char byte = *value;

		if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
			add(text, "\\u%04x", byte);
		else
			add(text, "%c", byte);
	}
	add(text, "\"");
}

/* Handlers of probes run with preemption off: one a processor is enough. */
static DEFINE_PER_CPU(char[LONGEST_RECORD], records);

static struct text begin_text(const char *kind)
{
	struct text text = { .at = this_cpu_ptr(records) };

	add(&text, "{\"kind\":\"%s\"", kind);
	return text;
}

static void mark_device(const char *kind, struct super_block *sb)
{
	struct text text;

	preempt_disable();
	text = begin_text(kind);
	add(&text, ",\"device\":%d}", device_of(sb));
	MARK(MARK_RECORD, text.at, text.used, 0, 0);
	preempt_enable();
}

/* ---- calls ---- */

/* As the user's program knows it: by its system call's number on x86-64. */
static const char *name_of(bool data_only)
{
	bool of_program = !(current->flags & PF_KTHREAD) && current->mm;

	switch (of_program ? task_pt_regs(current)->orig_ax : -1ul) {
	case 26:
		return "msync";
	case 1:   /* write */
	case 18:  /* pwrite64 */
	case 20:  /* writev */
	case 296: /* pwritev */
	case 328: /* pwritev2 */
	case 40:  /* sendfile */
	case 275: /* splice */
	case 326: /* copy_file_range */
		return "O_SYNC";
	default:
		return data_only ? "fdatasync" : "fsync";
	}
}

static void begin_call(struct call *call)
{
	call->number = atomic64_inc_return(&calls);
	call->written = atomic_read(&written[call->place]);
	call->taken = atomic_read(&taken[call->place]);
	MARK(MARK_CALL, NULL, 0, call->number, call->device);
}

static void end_call(struct call *call, const char *by, long result)
{
	bool kept = !call->busy && atomic_read(&taken[call->place]) == call->taken;
	struct text text;

	if (result != 0) {
		atomic64_inc(&failed);
		return;
	}
	text = begin_text("call");
	add_string(&text, "by", by);
	if (call->device != ALL_DEVICES)
		add(&text, ",\"device\":%d", call->device);
	if (call->file) {
		struct inode *inode = call->file->f_mapping->host;
		bool unchanged = kept && atomic_read(&written[call->place]) == call->written &&
				 inode->i_nlink == call->links && inode->i_blocks == call->blocks &&
				 i_size_read(inode) == call->size;
		char *path, room[LONGEST_PATH];

		add(&text,
		    ",\"inode\":%lu,\"generation\":%u,\"from\":%llu,\"to\":%llu,\"size\":%llu,\"blocks\":%llu",
		    inode->i_ino, inode->i_generation, min_t(u64, call->from, EXACT),
		    call->to >= EXACT ? EXACT : (u64)call->to + 1, call->size, call->blocks);
		add(&text, ",\"links\":%u,\"unchanged\":%s", call->links,
		    unchanged ? "true" : "false");
		path = dentry_path_raw(call->file->f_path.dentry, room, sizeof(room));
		if (!IS_ERR(path))
			add_string(&text, "path", path);
	}
	add(&text, ",\"kept\":%s", kept ? "true" : "false");
	add_string(&text, "program", current->comm);
	add(&text, "}");
	MARK(MARK_RETURN, text.at, text.used, call->number, call->device);
}

/* int fsync(struct file *file, loff_t start, loff_t end, int datasync) */
static int on_fsync(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;
	struct file *file = (void *)regs_get_kernel_argument(regs, 0);
	struct inode *inode = file->f_mapping->host;
	int own, device = device_of(inode->i_sb);

	/* What names a directory promises is not known. */
	if (!S_ISREG(inode->i_mode) || device < 0)
		return 1;
	*call = (struct call){
		.device = device,
		.file = file,
		.from = regs_get_kernel_argument(regs, 1),
		.to = regs_get_kernel_argument(regs, 2),
		.size = i_size_read(inode),
		.blocks = inode->i_blocks,
		.links = inode->i_nlink,
		.place = place_of(inode),
		.data_only = regs_get_kernel_argument(regs, 3),
	};
	/* A write that ends in a sync is itself under way. */
	own = !strcmp(name_of(false), "O_SYNC");
	call->busy = atomic_read(&under_way[call->place]) > own;
	begin_call(call);
	return 0;
}

static int on_fsync_done(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;

	end_call(call, name_of(call->data_only), (int)regs_return_value(regs));
	return 0;
}

static int on_sync(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;

	*call = (struct call){ .device = ALL_DEVICES,
			       .place = ALL,
			       .busy = atomic_read(&under_way[ALL]) > 0 };
	begin_call(call);
	return 0;
}

static int on_sync_done(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	end_call((void *)instance->data, "sync", regs_return_value(regs));
	return 0;
}

/* That of a descriptor of this process. */
static int device_of_descriptor(unsigned int descriptor)
{
	int found = -ENODEV;
	struct fdtable *table;
	struct file *file;

	rcu_read_lock();
	table = rcu_dereference(current->files->fdt);
	file = descriptor < table->max_fds ? rcu_dereference(table->fd[descriptor]) : NULL;
	if (file)
		found = device_of(file_inode(file)->i_sb);
	rcu_read_unlock();
	return found;
}

/* The user's registers are the function's argument. */
static int on_syncfs(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct pt_regs *user = (void *)regs_get_kernel_argument(regs, 0);
	struct call *call = (void *)instance->data;
	int device = device_of_descriptor(user->di);

	if (device < 0)
		return 1;
	*call = (struct call){ .device = device,
			       .place = ALL,
			       .busy = atomic_read(&under_way[ALL]) > 0 };
	begin_call(call);
	return 0;
}

static int on_syncfs_done(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	end_call((void *)instance->data, "syncfs", regs_return_value(regs));
	return 0;
}

/* ---- what changes files ---- */

struct change {
	u32 place;
};

static int begin_change(struct kretprobe_instance *instance, struct inode *inode, atomic_t *count)
{
	struct change *change = (void *)instance->data;

	if (!is_watched(inode->i_sb))
		return 1;
	change->place = place_of(inode);
	atomic_inc(&under_way[change->place]);
	atomic_inc(&under_way[ALL]);
	atomic_inc(&count[change->place]);
	atomic_inc(&count[ALL]);
	return 0;
}

/* ssize_t write_iter(struct kiocb *iocb, struct iov_iter *from) */
static int on_write(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct kiocb *iocb = (void *)regs_get_kernel_argument(regs, 0);

	return begin_change(instance, file_inode(iocb->ki_filp), written);
}

/* Since 5.12 there is one argument more, the first. */
static int on_attributes(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	int after = LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0);
	struct dentry *dentry = (void *)regs_get_kernel_argument(regs, after);
	struct iattr *attributes = (void *)regs_get_kernel_argument(regs, after + 1);

	if (!(attributes->ia_valid & ATTR_SIZE))
		return 1;
	return begin_change(instance, d_inode(dentry), taken);
}

/* int vfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len) */
static int on_fallocate(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct file *file = (void *)regs_get_kernel_argument(regs, 0);

	return begin_change(instance, file_inode(file), taken);
}

static int on_changed(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct change *change = (void *)instance->data;

	atomic_dec(&under_way[change->place]);
	atomic_dec(&under_way[ALL]);
	return 0;
}

/* ---- mounts ---- */

struct mount {
	struct super_block *sb;
};

static int on_fill(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct mount *mount = (void *)instance->data;

	mount->sb = (void *)regs_get_kernel_argument(regs, 0);
	return !is_watched(mount->sb);
}

static int on_filled(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct mount *mount = (void *)instance->data;

	if ((int)regs_return_value(regs) == 0)
		mark_device("mounted", mount->sb);
	return 0;
}

static int on_shutdown(struct kprobe *probe, struct pt_regs *regs)
{
	struct super_block *sb = (void *)regs_get_kernel_argument(regs, 0);

	if (sb->s_root && is_watched(sb))
		mark_device("unmounting", sb);
	return 0;
}

/* ---- what is looked at ---- */

enum { OF_FSYNC, OF_WRITE, OF_MOUNT, OF_TYPE };

static const struct {
	const char *type, *names[OF_TYPE], *other_fill;
} functions[] = {
	{ "ext2", { "ext2_fsync", "ext2_file_write_iter", "ext2_fill_super" } },
	{ "ext4", { "ext4_sync_file", "ext4_file_write_iter", "ext4_fill_super" } },
	/* The other one is 5.10's. */
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

/* Those that are set: a probe cannot be set a second time as the first has left it. */
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
			pr_err("daxrepro_witness: %s cannot be looked at: %d\n",
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
	text = begin_text("calls");
	add(&text, ",\"seen\":%lld,\"failed\":%lld,\"missed\":%d}",
	    (long long)atomic64_read(&calls), (long long)atomic64_read(&failed), missed());
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
	for (device_count = 0; device_count < MOST_DEVICES && (device = strsep(&words, " "));)
		strscpy(devices[device_count++], device, sizeof(devices[0]));
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
