// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "requests.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "counting.h"
#include "cut.h"
#include "model.h"
#include "moments.h"
#include "output.h"
#include "qemu-api.h"
#include "unfenced.h"

struct identity {
	dev_t device;
	ino_t inode;
};

static struct identity files[MOST_RANGES];
static atomic_bool watching;
static uint64_t seen;

static int own_fsync(int fd);

/* Not by its name, which is the C library's function if this library is not loaded first. */
EXPORTED int fsync(int fd) __attribute__((alias("own_fsync")));

void watch_requests(void)
{
	bool any = false;

	for (unsigned int index = 0; index < ranges.count; index++) {
		const char *name = ranges.at[index].live.file;
		struct stat file;
		if (ranges.at[index].flush != FLUSH_REQUESTS)
			continue;
		any = true;
		if (stat(name, &file) == 0)
			files[index] = (struct identity){ file.st_dev, file.st_ino };
		else
			problem("there is no %s, the file of range %u", name, index);
	}
	/* Without it no flush would ever be seen, and everything would be reported as lost. */
	if (any && dlsym(RTLD_DEFAULT, "fsync") != (void *)own_fsync)
		problem("the plugin is not in LD_PRELOAD, which virtio-pmem needs");
	watching = any;
}

uint64_t requests_seen(void)
{
	return seen;
}

/* Runs in a thread of QEMU's own; the CPU that asked may continue in the meantime. */
static void requested(struct range *range)
{
	struct cut_moment moment = { .cause = CUT_MOMENT, .label = "\"\"" };

	seen++;
	if (!is_counting())
		return;
	if (anything_unfenced() && moment_before_fence())
		take_cut(&moment);
	model_flush_range(range);
}

static bool is_watched(const struct stat *file)
{
	bool any = false;

	model_lock();
	for (unsigned int index = 0; index < ranges.count; index++) {
		if (ranges.at[index].flush != FLUSH_REQUESTS ||
		    files[index].device != file->st_dev || files[index].inode != file->st_ino)
			continue;
		any = true;
		requested(&ranges.at[index]);
	}
	model_unlock();
	return any;
}

/* Skips the fsync of a watched device's file: it ends with QEMU, so the host need not store it. */
static int own_fsync(int fd)
{
	static int (*real)(int);
	struct stat file;

	if (watching && fstat(fd, &file) == 0 && is_watched(&file))
		return 0;
	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	if (!real) {
		errno = ENOSYS;
		return -1;
	}
	return real(fd);
}
