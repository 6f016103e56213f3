#define _GNU_SOURCE
#include "owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "limits.h"

/* Extents that are asked for at once. */
#define EXTENTS 128
#define LONGEST_PATH 4096

/*
 * Blocks without contents of their own: they are allocated and not written, so that they read as
 * zeros, or have no place on the device.
 */
#define WITHOUT_CONTENTS                                                            \
	(FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | \
	 FIEMAP_EXTENT_DATA_INLINE)

static struct part {
	long position, length;
} lost[MOST_LOST];
static size_t lost_count;

struct file {
	const struct stat *is;
	const char *path;
	/* Whether its line has been printed. */
	bool said;
};

void lost_begin(void)
{
	lost_count = 0;
}

void lost_add(long position, long length)
{
	lost[lost_count++] = (struct part){ position, length };
}

static void say_path(const char *path)
{
	for (; *path; path++)
		if (*path > ' ' && *path < 0x7f && *path != '%')
			say("%c", *path);
		else
			say("%%%02x", (unsigned char)*path);
	say("\n");
}

static void say_file(struct file *file)
{
	if (file->said)
		return;
	file->said = true;
	say("file %lu %ld %ld %lu ", (unsigned long)file->is->st_ino, (long)file->is->st_size,
	    (long)file->is->st_blocks, (unsigned long)file->is->st_nlink);
	say_path(file->path);
}

/* The first lost part that ends after this position. */
static size_t first_after(long position)
{
	size_t low = 0, high = lost_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (lost[middle].position + lost[middle].length <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void say_held(const struct fiemap_extent *extent, struct file *file)
{
	long from = extent->fe_physical, to = from + extent->fe_length;
	size_t part = first_after(from);

	for (; part < lost_count && lost[part].position < to && !said_too_much(); part++) {
		long begin = lost[part].position > from ? lost[part].position : from;
		long end = lost[part].position + lost[part].length;

		say_file(file);
		say("held %ld %ld %ld\n", (long)extent->fe_logical + (begin - from), begin,
		    (end < to ? end : to) - begin);
	}
}

static void say_extents(int descriptor, struct file *file)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extents[EXTENTS];
	} asked;
	unsigned long at = 0;
	bool last = lost_count == 0;

	while (!last) {
		memset(&asked.map, 0, sizeof(asked.map));
		asked.map.fm_start = at;
		asked.map.fm_length = ~0ul - at;
		asked.map.fm_extent_count = EXTENTS;
		if (ioctl(descriptor, FS_IOC_FIEMAP, &asked.map) != 0) {
			not_answered();
			return;
		}
		if (asked.map.fm_mapped_extents == 0)
			return;
		for (unsigned int i = 0; i < asked.map.fm_mapped_extents; i++) {
			const struct fiemap_extent *extent = &asked.map.fm_extents[i];

			if (!(extent->fe_flags & WITHOUT_CONTENTS))
				say_held(extent, file);
			at = extent->fe_logical + extent->fe_length;
			last = extent->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
}

/* By a handle as ext2, ext4 and xfs make them (linux/exportfs.h, FILEID_INO32_GEN). */
static int open_inode(unsigned int number, unsigned int generation)
{
	union {
		struct file_handle handle;
		struct {
			struct file_handle head;
			unsigned int words[2];
		};
	} asked = { .words = { number, generation } };
	int mount = open(".", O_RDONLY | O_DIRECTORY), descriptor;

	asked.handle.handle_bytes = sizeof(asked.words);
	asked.handle.handle_type = 1;
	descriptor = open_by_handle_at(mount, &asked.handle, O_RDONLY | O_NONBLOCK);
	close(mount);
	return descriptor;
}

void say_inode(unsigned long number, unsigned int generation)
{
	/* Handles of this form have 32 bits for the number. */
	int descriptor = number > UINT32_MAX ? -1 : open_inode(number, generation);
	struct stat is;
	struct file file = { &is, "", false };

	if (descriptor < 0) {
		/* ESTALE: there is no such inode. */
		if (number > UINT32_MAX || errno != ESTALE)
			not_answered();
		return;
	}
	if (fstat(descriptor, &is) != 0) {
		not_answered();
	} else if (S_ISREG(is.st_mode)) {
		say_file(&file);
		say_extents(descriptor, &file);
	}
	close(descriptor);
}

static void say_one(int directory, const char *name, const char *path)
{
	int descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct stat is;
	struct file file = { &is, path, false };

	if (descriptor < 0 || fstat(descriptor, &is) != 0)
		not_answered();
	else if (S_ISREG(is.st_mode))
		say_extents(descriptor, &file);
	if (descriptor >= 0)
		close(descriptor);
}

/* DT_DIR, DT_REG, or anything else. */
static int type_of(int directory, const struct dirent *entry)
{
	struct stat is;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(directory, entry->d_name, &is, AT_SYMLINK_NOFOLLOW) != 0) {
		not_answered();
		return DT_UNKNOWN;
	}
	return S_ISDIR(is.st_mode) ? DT_DIR : S_ISREG(is.st_mode) ? DT_REG : DT_UNKNOWN;
}

/* The next entry but `.` and `..`; NULL after the last one. */
static struct dirent *next_entry(DIR *directory)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(directory);
		if (!entry && errno)
			not_answered();
	} while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
	return entry;
}

static void walk(int parent, const char *name, char *path)
{
	size_t length = strlen(path);
	int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
	struct dirent *entry;

	if (!directory) {
		not_answered();
		if (descriptor >= 0)
			close(descriptor);
		return;
	}
	while ((entry = next_entry(directory))) {
		int type = type_of(descriptor, entry);

		if (type != DT_DIR && type != DT_REG)
			continue;
		/* A path that is too long is told without its end. */
		if (length + strlen(entry->d_name) + 2 <= LONGEST_PATH)
			sprintf(path + length, "%s%s", length ? "/" : "", entry->d_name);
		if (type == DT_DIR)
			walk(descriptor, entry->d_name, path);
		else
			say_one(descriptor, entry->d_name, path);
		path[length] = 0;
	}
	closedir(directory);
}

void say_tree(void)
{
	char path[LONGEST_PATH] = "";

	walk(AT_FDCWD, ".", path);
}
