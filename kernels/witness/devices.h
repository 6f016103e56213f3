/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* The devices whose file systems are watched, TEST_DEV first. */
#pragma once

#include <linux/fs.h>

#define MOST_DEVICES 4

/* Forgets all devices. */
void devices_begin(void);
/* By its name in /dev, `pmem0`. Returns less than 0 where there are too many. */
int devices_add(const char *name);

/* The number of a file system's device; less than 0 where it is not watched. */
int device_of(struct super_block *sb);

static inline bool is_watched(struct super_block *sb)
{
	return device_of(sb) >= 0;
}
