/*
 * survivor QUESTIONS OFFSET DIRECTORY: looks at what survived a power cut, a file system that is mounted
 * on DIRECTORY. QUESTIONS is a file or a device that holds at OFFSET, up to a zero byte:
 *
 *     name a                      a path below DIRECTORY
 *     data 0 4096 17              of the file of that name: offset, length, and the byte that all are
 *
 * and for each there is a line on stdout, in their order:
 *
 *     name absent | file SIZE | other | unreadable ERRNO
 *     data same | short SIZE | differs FIRST LAST COUNT BYTE POSITION | unreadable ERRNO
 *
 * FIRST and LAST are offsets in the file, COUNT the number of bytes that differ, BYTE what stands at
 * FIRST, and POSITION where that is on the device, -1 where it is nowhere. It judges nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_QUESTIONS (1l << 20)
#define PIECE (1l << 16)

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

static int open_name(const char *name)
{
	struct stat is;
	int descriptor;

	if (lstat(name, &is) != 0) {
		if (errno == ENOENT)
			puts("name absent");
		else
			printf("name unreadable %d\n", errno);
		return -1;
	}
	if (!S_ISREG(is.st_mode)) {
		puts("name other");
		return -1;
	}
	descriptor = open(name, O_RDONLY);
	if (descriptor < 0)
		printf("name unreadable %d\n", errno);
	else
		printf("name file %ld\n", (long)is.st_size);
	return descriptor;
}

static void compare(int descriptor, long from, long length, int byte)
{
	static unsigned char piece[PIECE];
	long first = -1, last = -1, count = 0, at = from, end = from + length;
	int found = 0;

	while (at < end) {
		ssize_t got = pread(descriptor, piece, end - at < PIECE ? end - at : PIECE, at);

		if (got < 0) {
			printf("data unreadable %d\n", errno);
			return;
		}
		if (got == 0) {
			printf("data short %ld\n", at);
			return;
		}
		for (ssize_t i = 0; i < got; i++) {
			if (piece[i] == byte)
				continue;
			if (first < 0) {
				first = at + i;
				found = piece[i];
			}
			last = at + i;
			count++;
		}
		at += got;
	}
	if (count == 0)
		puts("data same");
	else
		printf("data differs %ld %ld %ld %d %ld\n", first, last, count, found,
		       position_of(descriptor, first));
}

int main(int argc, char **argv)
{
	static char questions[MOST_QUESTIONS + 1];
	int source, descriptor = -1;
	ssize_t got;
	char *line, *rest = questions;

	if (argc != 4) {
		fprintf(stderr, "usage: survivor QUESTIONS OFFSET DIRECTORY\n");
		return 2;
	}
	source = open(argv[1], O_RDONLY);
	got = source < 0 ? -1 : pread(source, questions, MOST_QUESTIONS, atol(argv[2]));
	if (got <= 0 || chdir(argv[3]) != 0) {
		perror("survivor");
		return 2;
	}
	while ((line = strsep(&rest, "\n")) && *line) {
		long from, length;
		int byte;

		if (!strncmp(line, "name ", 5)) {
			if (descriptor >= 0)
				close(descriptor);
			descriptor = open_name(line + 5);
		} else if (sscanf(line, "data %ld %ld %d", &from, &length, &byte) != 3) {
			fprintf(stderr, "survivor: what is \"%s\"?\n", line);
			return 2;
		} else if (descriptor < 0) {
			puts("data unreadable 2");
		} else {
			compare(descriptor, from, length, byte);
		}
	}
	puts("end");
	return 0;
}
