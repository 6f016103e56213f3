// SPDX-License-Identifier: MIT OR GPL-2.0
#include "mounts.h"

#include "devices.h"
#include "marks.h"

static void mark_device(const char *kind, struct super_block *sb)
{
	struct text text;

	preempt_disable();
	text = text_begin(kind);
	text_add(&text, ",\"device\":%d}", device_of(sb));
	MARK(MARK_RECORD, text.at, text.used, 0, 0);
	preempt_enable();
}

int on_fill(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct mount *mount = (void *)instance->data;

	mount->sb = (void *)regs_get_kernel_argument(regs, 0);
	return !is_watched(mount->sb);
}

int on_filled(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct mount *mount = (void *)instance->data;

	if ((int)regs_return_value(regs) == 0)
		mark_device("mounted", mount->sb);
	return 0;
}

int on_shutdown(struct kprobe *probe, struct pt_regs *regs)
{
	struct super_block *sb = (void *)regs_get_kernel_argument(regs, 0);

	if (sb->s_root && is_watched(sb))
		mark_device("unmounting", sb);
	return 0;
}
