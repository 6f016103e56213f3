// SPDX-License-Identifier: MIT OR GPL-2.0
#include "calls.h"

#include <linux/atomic.h>
#include <linux/fdtable.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "changes.h"
#include "devices.h"
#include "marks.h"

#define LONGEST_PATH 256
/* The largest number that JSON's readers have exactly. */
#define EXACT ((1ull << 53) - 1)

static atomic64_t begun, failed;

long long calls_begun(void)
{
	return atomic64_read(&begun);
}

long long calls_failed(void)
{
	return atomic64_read(&failed);
}

/* The name that the user's program knows, by the number of its system call on x86-64. */
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
	call->number = atomic64_inc_return(&begun);
	call->written = changes_written(call->place);
	call->taken = changes_taken(call->place);
	MARK(MARK_CALL, NULL, 0, call->number, call->device);
}

/* @param kept as sync-calls.c says */
static void add_file(struct text *text, const struct call *call, bool kept)
{
	struct inode *inode = call->file->f_mapping->host;
	bool unchanged = kept && changes_written(call->place) == call->written &&
			 inode->i_nlink == call->links && inode->i_blocks == call->blocks &&
			 i_size_read(inode) == call->size;
	char *path, room[LONGEST_PATH];

	text_add(text,
		 ",\"inode\":%llu,\"generation\":%u,\"from\":%llu,\"to\":%llu,"
		 "\"size\":%llu,\"blocks\":%llu",
		 (unsigned long long)inode->i_ino, inode->i_generation,
		 min_t(u64, call->from, EXACT), call->to >= EXACT ? EXACT : (u64)call->to + 1,
		 call->size, call->blocks);
	text_add(text, ",\"links\":%u,\"unchanged\":%s", call->links, unchanged ? "true" : "false");
	path = dentry_path_raw(call->file->f_path.dentry, room, sizeof(room));
	if (!IS_ERR(path))
		text_add_string(text, "path", path);
}

static void end_call(struct call *call, const char *by, long result)
{
	bool kept = !call->busy && changes_taken(call->place) == call->taken;
	struct text text;

	if (result != 0) {
		atomic64_inc(&failed);
		return;
	}
	text = text_begin("call");
	text_add_string(&text, "by", by);
	if (call->device != ALL_DEVICES)
		text_add(&text, ",\"device\":%d", call->device);
	if (call->file)
		add_file(&text, call, kept);
	text_add(&text, ",\"kept\":%s", kept ? "true" : "false");
	text_add_string(&text, "program", current->comm);
	text_add(&text, "}");
	MARK(MARK_RETURN, text.at, text.used, call->number, call->device);
}

/* int fsync(struct file *file, loff_t start, loff_t end, int datasync) */
int on_fsync(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;
	struct file *file = (void *)regs_get_kernel_argument(regs, 0);
	struct inode *inode = file->f_mapping->host;
	int own, device = device_of(inode->i_sb);

	/* It is not known which names an fsync of a directory promises. */
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
	/* A write that ends in an fsync is itself under way. */
	own = !strcmp(name_of(false), "O_SYNC");
	call->busy = changes_under_way(call->place) > own;
	begin_call(call);
	return 0;
}

int on_fsync_done(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;

	end_call(call, name_of(call->data_only), (int)regs_return_value(regs));
	return 0;
}

int on_sync(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;

	*call = (struct call){ .device = ALL_DEVICES,
			       .place = ALL_FILES,
			       .busy = changes_under_way(ALL_FILES) > 0 };
	begin_call(call);
	return 0;
}

int on_sync_done(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	end_call((void *)instance->data, "sync", regs_return_value(regs));
	return 0;
}

/* The device of a descriptor of this process. */
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

/* The function's argument is the user's registers. */
int on_syncfs(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct pt_regs *user = (void *)regs_get_kernel_argument(regs, 0);
	struct call *call = (void *)instance->data;
	int device = device_of_descriptor(user->di);

	if (device < 0)
		return 1;
	*call = (struct call){ .device = device,
			       .place = ALL_FILES,
			       .busy = changes_under_way(ALL_FILES) > 0 };
	begin_call(call);
	return 0;
}

int on_syncfs_done(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	end_call((void *)instance->data, "syncfs", regs_return_value(regs));
	return 0;
}
