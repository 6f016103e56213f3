#define _GNU_SOURCE
#include "device.h"

#include <errno.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

int add_partition(int disk, long start, long length)
{
	struct blkpg_partition partition = { .start = start, .length = length, .pno = 1 };
	struct blkpg_ioctl_arg asked = { .op = BLKPG_ADD_PARTITION,
					 .datalen = sizeof(partition),
					 .data = &partition };

	return ioctl(disk, BLKPG, &asked);
}

void delete_partition(int disk, long start, long length)
{
	struct blkpg_partition partition = { .pno = 1 };
	struct blkpg_ioctl_arg asked = { .op = BLKPG_DEL_PARTITION,
					 .datalen = sizeof(partition),
					 .data = &partition };
	unsigned long long range[] = { start, length };

	ioctl(disk, BLKPG, &asked);
	ioctl(disk, BLKDISCARD, range);
}

int unmount(const char *directory)
{
	for (int tries = 0; tries < 100; tries++) {
		if (umount2(directory, 0) == 0)
			return 0;
		if (errno != EBUSY)
			return -1;
		usleep(100000);
	}
	return -1;
}
