// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One line of /proc/PID/maps (proc(5)). */
struct area {
	uint64_t start, end, offset, inode;
	dev_t device;
	char path[4096];
};

static bool parse_area(const char *line, struct area *to)
{
	unsigned int major, minor;
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64 " %n", &to->start,
		   &to->end, &to->offset, &major, &minor, &to->inode, &path) < 6)
		return false;
	to->device = makedev(major, minor);
	snprintf(to->path, sizeof(to->path), "%s", path ? line + path : "");
	to->path[strcspn(to->path, "\n")] = 0;
	return true;
}

/* Compares numbers and paths, since some file systems (overlayfs) give one file two numbers. */
static bool is_of(const struct area *area, const struct stat *file, const char *real)
{
	return (area->inode == file->st_ino && area->device == file->st_dev) ||
	       (real && strcmp(area->path, real) == 0);
}

/*
 * The path as the kernel writes it in maps. A file without a name is given as a descriptor,
 * /dev/fd/N, whose link has the same text. The caller frees it; NULL if there is none.
 */
static char *path_in_maps(const char *file)
{
	char *path = realpath(file, NULL);
	ssize_t length;

	if (path)
		return path;
	path = calloc(1, PATH_MAX);
	length = path ? readlink(file, path, PATH_MAX - 1) : -1;
	if (length > 0)
		return path;
	free(path);
	return NULL;
}

bool find_mapping(struct mapping *mapping)
{
	struct stat file;
	char *line = NULL, *real;
	size_t room = 0;
	uint64_t base = 0, end = 0;
	FILE *maps;

	if (stat(mapping->file, &file) != 0)
		return false;
	maps = fopen("/proc/self/maps", "re");
	if (!maps)
		return false;
	real = path_in_maps(mapping->file);
	if (mapping->size == 0)
		mapping->size = file.st_size - mapping->offset;
	while (getline(&line, &room, maps) > 0) {
		struct area area;
		if (!parse_area(line, &area) || !is_of(&area, &file, real))
			continue;
		/* One mapping can have become several adjacent areas. */
		if (base == 0 && area.offset <= mapping->offset &&
		    mapping->offset < area.offset + (area.end - area.start)) {
			base = area.start + (mapping->offset - area.offset);
			end = area.end;
		} else if (base != 0 && area.start == end) {
			end = area.end;
		}
	}
	free(line);
	free(real);
	fclose(maps);
	mapping->at = (const uint8_t *)base;
	return base != 0 && end - base >= mapping->size;
}

struct ram guest_ram;

const uint8_t *ram_at(uint64_t physical)
{
	const struct ram *ram = &guest_ram;
	const uint64_t high = UINT64_C(1) << 32;

	if (physical < ram->low)
		return ram->mapping.at + physical;
	if (physical < high || physical - high >= ram->mapping.size - ram->low)
		return NULL;
	return ram->mapping.at + ram->low + (physical - high);
}

static const uint8_t ZEROS[PAGE];

struct copy {
	const struct mapping *mapping;
	uint8_t *to, *copied;
};

static void copy_page(const struct copy *copy, uint64_t page)
{
	const uint8_t *from = copy->mapping->at + page * PAGE;

	if (copy->copied[page] || memcmp(from, ZEROS, PAGE) == 0)
		return;
	memcpy(copy->to + page * PAGE, from, PAGE);
	copy->copied[page] = 1;
}

/* Pages that this process has touched: only it has what was written to a private mapping. */
static bool copy_touched(const struct copy *copy)
{
	const struct mapping *mapping = copy->mapping;
	const uint64_t present = UINT64_C(1) << 63, swapped = UINT64_C(1) << 62;
	uint64_t entries[512], pages = mapping->size / PAGE;
	uint64_t first = (uint64_t)mapping->at / PAGE;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	for (uint64_t page = 0; page < pages;) {
		uint64_t count = pages - page < 512 ? pages - page : 512;
		ssize_t bytes = pread(fd, entries, count * 8, (first + page) * 8);
		if (bytes <= 0) {
			close(fd);
			return false;
		}
		count = bytes / 8;
		for (uint64_t index = 0; index < count; index++)
			if (entries[index] & (present | swapped))
				copy_page(copy, page + index);
		page += count;
	}
	close(fd);
	return true;
}

/* Pages that the file has data for. */
static bool copy_data(const struct copy *copy)
{
	uint64_t begin = copy->mapping->offset, end = begin + copy->mapping->size;
	int fd = open(copy->mapping->file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	for (uint64_t at = begin; at < end;) {
		off_t data = lseek(fd, at, SEEK_DATA);
		if (data < 0 || (uint64_t)data >= end)
			break;
		off_t hole = lseek(fd, data, SEEK_HOLE);
		uint64_t until = hole < 0 || (uint64_t)hole > end ? end : (uint64_t)hole;
		for (uint64_t page = (data - begin) / PAGE; page * PAGE < until - begin; page++)
			copy_page(copy, page);
		at = until;
	}
	close(fd);
	return true;
}

bool copy_mapping(const struct mapping *mapping, uint8_t *to, uint8_t *copied)
{
	const struct copy copy = { mapping, to, copied };

	return copy_data(&copy) && copy_touched(&copy);
}
