// SPDX-License-Identifier: MIT OR GPL-2.0
#include "changes.h"

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/version.h>

#include "devices.h"

static atomic_t under_way[CHANGE_PLACES + 1], written[CHANGE_PLACES + 1], taken[CHANGE_PLACES + 1];

u32 place_of(struct inode *inode)
{
	return hash_ptr(inode, ilog2(CHANGE_PLACES));
}

int changes_under_way(u32 place)
{
	return atomic_read(&under_way[place]);
}

int changes_written(u32 place)
{
	return atomic_read(&written[place]);
}

int changes_taken(u32 place)
{
	return atomic_read(&taken[place]);
}

static int begin_change(struct kretprobe_instance *instance, struct inode *inode, atomic_t *count)
{
	struct change *change = (void *)instance->data;

	if (!is_watched(inode->i_sb))
		return 1;
	change->place = place_of(inode);
	atomic_inc(&under_way[change->place]);
	atomic_inc(&under_way[ALL_FILES]);
	atomic_inc(&count[change->place]);
	atomic_inc(&count[ALL_FILES]);
	return 0;
}

/* ssize_t write_iter(struct kiocb *iocb, struct iov_iter *from) */
int on_write(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct kiocb *iocb = (void *)regs_get_kernel_argument(regs, 0);

	return begin_change(instance, file_inode(iocb->ki_filp), written);
}

/* Since 5.12 there is one argument more, the first. */
int on_attributes(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	int after = LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0);
	struct dentry *dentry = (void *)regs_get_kernel_argument(regs, after);
	struct iattr *attributes = (void *)regs_get_kernel_argument(regs, after + 1);

	if (!(attributes->ia_valid & ATTR_SIZE))
		return 1;
	return begin_change(instance, d_inode(dentry), taken);
}

/* int vfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len) */
int on_fallocate(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct file *file = (void *)regs_get_kernel_argument(regs, 0);

	return begin_change(instance, file_inode(file), taken);
}

int on_changed(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct change *change = (void *)instance->data;

	atomic_dec(&under_way[change->place]);
	atomic_dec(&under_way[ALL_FILES]);
	return 0;
}
