/*
 * survivor DISK SIZE TYPE journal|repair DIRECTORY: looks at what survived power cuts, images of a file
 * system of TYPE. They lie one after the other on DISK, each SIZE bytes, the first at SIZE.
 *
 * On stdin, for each: `look NUMBER LENGTH`, and in so many bytes the questions to it:
 *
 *     name a                      a path on it
 *     data 0 4096 17              of the file of that name: offset, length, and the byte that all are
 *
 * It is mounted on DIRECTORY as the next boot would mount it, without DAX: what is on the medium is the
 * same either way. Where it has no journal (`repair`), e2fsck may first repair what it wants; else it is
 * checked afterwards. To stdout go the channel's events (lib/channel.sh): the file `survivor-NUMBER`,
 * with a line for each question, in their order:
 *
 *     name absent | file SIZE | other | unreadable ERRNO
 *     data same | short SIZE | differs FIRST LAST COUNT BYTE POSITION | unreadable ERRNO
 *
 * FIRST and LAST are offsets in the file, COUNT the number of bytes that differ, BYTE what stands at
 * FIRST, and POSITION where that is on the device, -1 where it is nowhere. Then `survivor-NUMBER-check`
 * where a check finds something, and `survivor`, with the status of each step, empty where it was not
 * taken: where one fails, those after it are not. It judges nothing.
 *
 * survivor DIRECTORY: only asks the questions on stdin, of this directory, with the answers on stdout.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor-steps.h"

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

/* Answers to stdout; 0 where all were understood. */
static int answer(char *questions)
{
	char *line, *rest = questions;
	int descriptor = -1;

	while ((line = strsep(&rest, "\n")) && *line) {
		long from, length;
		int byte;

		if (!strncmp(line, "name ", 5)) {
			if (descriptor >= 0)
				close(descriptor);
			descriptor = open_name(line + 5);
		} else if (sscanf(line, "data %ld %ld %d", &from, &length, &byte) != 3) {
			return 2;
		} else if (descriptor < 0) {
			puts("data unreadable 2");
		} else {
			compare(descriptor, from, length, byte);
		}
	}
	if (descriptor >= 0)
		close(descriptor);
	puts("end");
	return 0;
}

/* What we were told. */
static const char *type, *directory;
static long image_size;
static bool repairs;

static char device[64];
static int disk, channel;

static bool write_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(channel, bytes, length);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			length -= written;
		}
	}
	return true;
}

/* A file of the host's, by the channel; none where it is empty. */
static void send_file(long number, const char *suffix, const char *text, size_t size)
{
	char head[128];
	int length;

	if (size == 0)
		return;
	length = snprintf(head, sizeof(head), "{\"event\":\"file\",\"name\":\"survivor-%ld%s\",\"size\":%zu}\n",
			  number, suffix, size);
	write_all(head, length);
	write_all(text, size);
}

/* A step's status, as text: empty where it was not taken. */
struct look {
	char repair[8], mount[8], looked[8], check[8], said[128];
};

static int took(char *status, int code)
{
	snprintf(status, sizeof(((struct look *)0)->repair), "%d", code);
	return code;
}

static void failed(struct look *look, const char *step)
{
	snprintf(look->said, sizeof(look->said), "%s: %s", step, strerror(errno));
}

/* Runs a check, and sends what it says where that is not all right. */
static int check(long number, char *const argv[], int content)
{
	size_t size;
	char *text;
	FILE *said = open_memstream(&text, &size);
	int status = run(argv, said);

	fclose(said);
	if (status > content)
		send_file(number, "-check", text, size);
	free(text);
	return status;
}

static int answers(long number, char *questions)
{
	FILE *before = stdout;
	size_t size;
	char *text;
	int status;

	if (chdir(directory) != 0)
		return 2;
	stdout = open_memstream(&text, &size);
	status = answer(questions);
	fclose(stdout);
	stdout = before;
	/* It is to be unmounted. */
	if (chdir("/") != 0)
		status = 2;
	send_file(number, "", text, size);
	free(text);
	return status;
}

static void take_steps(long number, char *questions, struct look *look)
{
	char *const repair[] = { "e2fsck", "-f", "-y", device, NULL };
	char *const check_ext[] = { "e2fsck", "-f", "-n", device, NULL };
	/* What it is told of memory and threads is for images that hold little. */
	char *const check_xfs[] = { "xfs_repair", "-n", "-P", "-o", "bhash=512", device, NULL };

	/* Up to 3: it has repaired all. */
	if (repairs && took(look->repair, check(number, repair, 3)) > 3)
		return;
	if (took(look->mount, mount(device, directory, type, 0, NULL) == 0 ? 0 : 32) != 0) {
		failed(look, "mount");
		return;
	}
	if (took(look->looked, answers(number, questions)) != 0)
		snprintf(look->said, sizeof(look->said), "a question was not understood");
	if (unmount(directory) != 0) {
		failed(look, "umount");
		return;
	}
	if (!repairs)
		took(look->check, check(number, strcmp(type, "xfs") ? check_ext : check_xfs, 0));
}

static void look_at(long number, char *questions)
{
	struct look look = { 0 };
	char text[512];
	int log, length;

	length = snprintf(text, sizeof(text), "{\"event\":\"step\",\"name\":\"survivor-%ld\"}\n", number);
	write_all(text, length);
	if (add_partition(disk, number * image_size, image_size) != 0) {
		failed(&look, "partition");
	} else {
		take_steps(number, questions, &look);
		delete_partition(disk, number * image_size, image_size);
	}
	/* On the console, after what the kernel said of it: the host waits for this. */
	log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (log >= 0) {
		/* It takes one write, and no dprintf: that seeks. */
		length = snprintf(text, sizeof(text), "<5>daxrepro: survivor %ld.\n", number);
		if (write(log, text, length) != length)
			failed(&look, "/dev/kmsg");
		close(log);
	}
	length = snprintf(text, sizeof(text),
			  "{\"event\":\"survivor\",\"number\":%ld,\"repair\":\"%s\",\"mount\":\"%s\","
			  "\"looked\":\"%s\",\"check\":\"%s\",\"said\":\"%s\"}\n",
			  number, look.repair, look.mount, look.looked, look.check, look.said);
	write_all(text, length);
}

int main(int argc, char **argv)
{
	static char questions[MOST_QUESTIONS + 1], line[64];
	long number, length;

	if (argc == 2 && chdir(argv[1]) == 0) {
		questions[fread(questions, 1, MOST_QUESTIONS, stdin)] = 0;
		return answer(questions);
	}
	if (argc != 6) {
		fprintf(stderr, "usage: survivor DISK SIZE TYPE journal|repair DIRECTORY\n");
		return 2;
	}
	image_size = atol(argv[2]);
	type = argv[3];
	repairs = !strcmp(argv[4], "repair");
	directory = argv[5];
	snprintf(device, sizeof(device), "%s1", argv[1]);
	disk = open(argv[1], O_RDWR | O_CLOEXEC);
	/* stdout is for answers. */
	channel = fcntl(1, F_DUPFD_CLOEXEC, 3);
	if (disk < 0 || channel < 0) {
		perror(argv[1]);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "look %ld %ld", &number, &length) != 2 || length < 0 || length > MOST_QUESTIONS) {
			fprintf(stderr, "survivor: what is \"%s\"?\n", line);
			return 2;
		}
		if (fread(questions, 1, length, stdin) != (size_t)length)
			break;
		questions[length] = 0;
		look_at(number, questions);
	}
	return 0;
}
