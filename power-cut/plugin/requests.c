// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "requests.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "model.h"
#include "output.h"
#include "qemu-api.h"

struct identity {
	dev_t device;
	ino_t inode;
};

static struct identity files[MOST_RANGES];
static atomic_bool watching;

EXPORTED int fsync(int fd);

void watch_requests(void)
{
	bool any = false;

	for (unsigned int index = 0; index < model.count; index++) {
		struct stat file;
		if (model.ranges[index].flush != FLUSH_REQUESTS)
			continue;
		if (stat(model.ranges[index].live.file, &file) != 0)
			continue;
		files[index] = (struct identity){file.st_dev, file.st_ino};
		any = true;
	}
	/* Without it no flush would ever be seen, and all be reported as lost. */
	if (any && dlsym(RTLD_DEFAULT, "fsync") != (void *)fsync)
		problem("the plugin is not in LD_PRELOAD, which virtio-pmem needs");
	watching = any;
}

EXPORTED int fsync(int fd)
{
	static int (*real)(int);
	struct stat file;

	if (watching && fstat(fd, &file) == 0) {
		model_lock();
		for (unsigned int index = 0; index < model.count; index++)
			if (model.ranges[index].flush == FLUSH_REQUESTS &&
			    files[index].device == file.st_dev && files[index].inode == file.st_ino)
				model_flush_range(&model.ranges[index]);
		model_unlock();
	}
	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	if (!real) {
		errno = ENOSYS;
		return -1;
	}
	return real(fd);
}
