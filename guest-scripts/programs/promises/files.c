#define _GNU_SOURCE
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "give-up.h"
#include "marks.h"

static void open_file(struct worker *worker, const char *name, const char *how, int flags)
{
	if (!strcmp(how, "sync"))
		flags |= O_SYNC;
	else if (!strcmp(how, "dsync"))
		flags |= O_DSYNC;
	else if (*how)
		give_up(BAD_SCRIPT, "sync or dsync, not %s", how);
	if (worker->descriptor >= 0)
		must(close(worker->descriptor) == 0, "close");
	worker->descriptor = open(name, flags, 0644);
	must(worker->descriptor >= 0, name);
	snprintf(worker->name, sizeof worker->name, "%s", name);
	files[worker->file].opened_as = !*how ? "" : strcmp(how, "sync") ? "O_DSYNC" : "O_SYNC";
}

void new_file(struct worker *worker, const char *name, const char *how)
{
	int index;

	pthread_mutex_lock(&tables);
	index = add_name(name);
	if (file_count == MOST_FILES)
		give_up(BAD_SCRIPT, "too many files");
	worker->file = file_count++;
	pthread_mutex_unlock(&tables);
	files[worker->file].content = mmap(NULL, LARGEST_FILE, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(files[worker->file].content != MAP_FAILED, "memory");
	mark("{\"kind\":\"create\",\"name\":\"%s\",\"file\":%d}", name, worker->file);
	open_file(worker, name, how, O_RDWR | O_CREAT | O_EXCL);
	names[index].file = worker->file;
}

void use_file(struct worker *worker, const char *name, const char *how)
{
	worker->file = names[known_name(name)].file;
	open_file(worker, name, how, O_RDWR);
}

struct file *current(struct worker *worker)
{
	if (worker->descriptor < 0)
		give_up(BAD_SCRIPT, "no file is open");
	return &files[worker->file];
}

void write_file(struct worker *worker, long offset, long length, int byte)
{
	struct file *file = current(worker);
	long end = offset + length, done = 0;
	int grows = end > file->size;

	if (offset < 0 || length <= 0 || end > LARGEST_FILE)
		give_up(BAD_SCRIPT, "write %ld %ld", offset, length);
	if (grows)
		mark("{\"kind\":\"size\",\"file\":%d}", worker->file);
	changes(worker->file, grows && file->size < offset ? file->size : offset, end);
	memset(file->content + offset, byte, length);
	if (grows)
		file->size = end;
	while (done < length) {
		ssize_t written = pwrite(worker->descriptor, file->content + offset + done,
					 length - done, offset + done);

		must(written > 0, "write");
		done += written;
	}
	if (*file->opened_as) {
		promise_data(file->opened_as, worker->file, worker->name, offset, end, grows);
		cut(file->opened_as);
	}
}

void set_size(struct worker *worker, long size)
{
	struct file *file = current(worker);
	long less = size < file->size ? size : file->size;
	long more = size < file->size ? file->size : size;

	if (size < 0 || size > LARGEST_FILE)
		give_up(BAD_SCRIPT, "truncate %ld", size);
	mark("{\"kind\":\"size\",\"file\":%d}", worker->file);
	changes(worker->file, less, more);
	memset(file->content + less, 0, more - less);
	file->size = size;
	must(ftruncate(worker->descriptor, size) == 0, "truncate");
}

void allocate(struct worker *worker, long offset, long length)
{
	struct file *file = current(worker);
	long end = offset + length;
	int grows = end > file->size;

	if (offset < 0 || length <= 0 || end > LARGEST_FILE)
		give_up(BAD_SCRIPT, "allocate %ld %ld", offset, length);
	if (grows) {
		mark("{\"kind\":\"size\",\"file\":%d}", worker->file);
		changes(worker->file, file->size, end);
		memset(file->content + file->size, 0, end - file->size);
		file->size = end;
	}
	must(fallocate(worker->descriptor, 0, offset, length) == 0, "allocate");
	if (*file->opened_as) {
		promise_data(file->opened_as, worker->file, worker->name, offset, end, grows);
		cut(file->opened_as);
	}
}

static void clear(struct worker *worker, long offset, long length, int mode, const char *what)
{
	struct file *file = current(worker);
	long end = offset + length > file->size ? file->size : offset + length;

	changes(worker->file, offset, end);
	if (end > offset)
		memset(file->content + offset, 0, end - offset);
	must(fallocate(worker->descriptor, mode | FALLOC_FL_KEEP_SIZE, offset, length) == 0, what);
}

void punch(struct worker *worker, long offset, long length)
{
	clear(worker, offset, length, FALLOC_FL_PUNCH_HOLE, "punch");
}

void zero(struct worker *worker, long offset, long length)
{
	clear(worker, offset, length, FALLOC_FL_ZERO_RANGE, "zero");
}

void rename_file(const char *from, const char *to)
{
	int old = known_name(from), new = add_name(to);

	mark("{\"kind\":\"rename\",\"from\":\"%s\",\"to\":\"%s\",\"file\":%d}", from, to,
	     names[old].file);
	must(rename(from, to) == 0, "rename");
	names[new].file = names[old].file;
	names[old].file = 0;
}

void unlink_file(const char *name)
{
	int index = known_name(name);

	mark("{\"kind\":\"unlink\",\"name\":\"%s\"}", name);
	must(unlink(name) == 0, "unlink");
	names[index].file = 0;
}
