#define _GNU_SOURCE
#include "syncs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../marker.h"
#include "files.h"
#include "give-up.h"
#include "mappings.h"
#include "marks.h"

void sync_file(struct worker *worker, int data_only)
{
	struct file *file = current(worker);
	const char *by = data_only ? "fdatasync" : "fsync";

	must((data_only ? fdatasync : fsync)(worker->descriptor) == 0, by);
	promise_data(by, worker->file, worker->name, 0, file->size, 1);
	cut(by);
}

void sync_mapping(struct worker *worker, long offset, long length)
{
	char *from = mapped(worker, offset, length);
	char *page = (char *)((unsigned long)from & ~4095ul);

	must(msync(page, from + length - page, MS_SYNC) == 0, "msync");
	promise_data("msync", worker->file, worker->name, offset, offset + length, 0);
	cut("msync");
}

void sync_all(void)
{
	sync();
	for (int i = 0; i < name_count; i++)
		if (names[i].file)
			promise_data("sync", names[i].file, names[i].text, 0,
				     files[names[i].file].size, 1);
	promise_names("sync", NULL);
	cut("sync");
}

void begin(void)
{
	sync();
	marker_begin("", 0);
	promise_names("begin", NULL);
	for (int i = 0; i < name_count; i++)
		if (names[i].file)
			promise_data("begin", names[i].file, names[i].text, 0,
				     files[names[i].file].size, 1);
}

void sync_directory(const char *name)
{
	int descriptor = open(name, O_RDONLY | O_DIRECTORY);

	must(descriptor >= 0, name);
	must(fsync(descriptor) == 0, "fsync of a directory");
	close(descriptor);
	promise_names("fsync-directory", name);
	cut("fsync-directory");
}
