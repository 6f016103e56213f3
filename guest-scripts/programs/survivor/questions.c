#define _GNU_SOURCE
#include "questions.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owners.h"

/* Bytes that are read at once. */
#define PIECE (1l << 16)

/* Where a byte of a file is on the device; -1 where it is nowhere. */
static long position_of(int descriptor, long offset)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} asked = { .map = { .fm_start = offset, .fm_length = 1, .fm_extent_count = 1 } };

	if (ioctl(descriptor, FS_IOC_FIEMAP, &asked.map) != 0 || asked.map.fm_mapped_extents == 0 ||
	    (long)asked.extent.fe_logical > offset)
		return -1;
	return asked.extent.fe_physical + (offset - asked.extent.fe_logical);
}

/* Says what the name leads to. Returns a descriptor of a regular file, or -1. */
static int open_name(const char *name)
{
	struct stat is;
	int descriptor;

	if (lstat(name, &is) != 0) {
		if (errno == ENOENT)
			say("name absent\n");
		else
			say("name unreadable %d\n", errno);
		return -1;
	}
	if (!S_ISREG(is.st_mode)) {
		say("name other\n");
		return -1;
	}
	descriptor = open(name, O_RDONLY);
	if (descriptor < 0)
		say("name unreadable %d\n", errno);
	else
		say("name file %ld\n", (long)is.st_size);
	return descriptor;
}

/* Bytes that are not the expected one. */
struct difference {
	long first, last, count;
	int byte;
};

static void compare_piece(const unsigned char *piece, ssize_t length, long at, int byte,
			  struct difference *difference)
{
	for (ssize_t i = 0; i < length; i++) {
		if (piece[i] == byte)
			continue;
		if (difference->count == 0) {
			difference->first = at + i;
			difference->byte = piece[i];
		}
		difference->last = at + i;
		difference->count++;
	}
}

static void compare(int descriptor, long from, long length, int byte)
{
	static unsigned char piece[PIECE];
	struct difference is = { 0 };
	long at = from, end = from + length;

	while (at < end) {
		ssize_t got = pread(descriptor, piece, end - at < PIECE ? end - at : PIECE, at);

		if (got < 0) {
			say("data unreadable %d\n", errno);
			return;
		}
		if (got == 0) {
			say("data short %ld\n", at);
			return;
		}
		compare_piece(piece, got, at, byte, &is);
		at += got;
	}
	if (is.count == 0)
		say("data same\n");
	else
		say("data differs %ld %ld %ld %d %ld\n", is.first, is.last, is.count, is.byte,
		    position_of(descriptor, is.first));
}

/* Returns whether the line is a question. @param descriptor of the last name, or -1 */
static bool answer_line(const char *line, int *descriptor)
{
	long from, length;
	int byte;

	if (!strncmp(line, "name ", 5)) {
		if (*descriptor >= 0)
			close(*descriptor);
		*descriptor = open_name(line + 5);
	} else if (sscanf(line, "lost %ld %ld", &from, &length) == 2) {
		lost_add(from, length);
	} else if (sscanf(line, "inode %ld %ld", &from, &length) == 2) {
		say_inode(from, length);
		say("done\n");
	} else if (!strcmp(line, "tree")) {
		say_tree();
		say("done\n");
	} else if (sscanf(line, "data %ld %ld %d", &from, &length, &byte) != 3) {
		return false;
	} else if (*descriptor < 0) {
		say("data unreadable %d\n", ENOENT);
	} else {
		compare(*descriptor, from, length, byte);
	}
	return true;
}

enum answered answer(char *questions)
{
	char *line, *rest = questions;
	int descriptor = -1;
	bool understood = true;

	lost_begin();
	while (understood && (line = strsep(&rest, "\n")) && *line)
		understood = answer_line(line, &descriptor);
	if (descriptor >= 0)
		close(descriptor);
	if (!understood)
		return NOT_UNDERSTOOD;
	say("end\n");
	return answers_end();
}
