/*
 * survivor DISK SIZE TYPE journal|repair DIRECTORY: looks at what survived power cuts, images of a file
 * system of TYPE. They lie one after the other on DISK, each SIZE bytes, the first at SIZE.
 *
 * On stdin, for each: `look NUMBER LENGTH`, and in so many bytes the questions to it:
 *
 *     name a                      a path on it
 *     data 0 4096 17              of the file of that name: offset, length, and the byte that all are
 *     lost 1048576 4096           for the questions that follow: a part of the device
 *     inode 12 0                  the regular file of that number and generation, whatever its name
 *     tree                        all regular files that hold something of what is lost
 *
 * It is mounted on DIRECTORY as the next boot would mount it, without DAX: what is on the medium is the
 * same either way. Where it has no journal (`repair`), e2fsck may first repair what it wants; else it is
 * checked afterwards. To stdout go the channel's events (lib/channel.sh): the file `survivor-NUMBER`,
 * with a line for each question, in their order:
 *
 *     name absent | file SIZE | other | unreadable ERRNO
 *     data same | short SIZE | differs FIRST LAST COUNT BYTE POSITION | unreadable ERRNO
 *     file NUMBER SIZE BLOCKS LINKS [PATH]     and then `held OFFSET POSITION LENGTH` for each part of
 *                                 what is lost that its written blocks hold; `done` after the last file
 *
 * FIRST and LAST are offsets in the file, COUNT the number of bytes that differ, BYTE what stands at
 * FIRST, and POSITION where that is on the device, -1 where it is nowhere. BLOCKS are of 512 bytes; in
 * PATH what is not plain ASCII is %XX. Where something is lost and e2fsck repairs, all is asked before that,
 * too, since it may give a file other blocks: the answers are parted by `repaired`. Then `survivor-NUMBER-check`,
 * what the check or the repair prints, and `survivor`, with the status of each step, empty where it was not
 * taken: where one fails, those after it are not. It judges nothing.
 *
 * survivor DIRECTORY: only asks the questions on stdin, of this directory, with the answers on stdout.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor-steps.h"

/* The host sends no more to one image (cli/power-cut/questions.ts). */
#define MOST_QUESTIONS (4l << 20)
/* Bytes of the answers of one image: the host takes no more of it, what the checks say included. */
#define MOST_ANSWERS (3l << 20)
#define PIECE (1l << 16)
/* As many as there is room for in the questions. */
#define MOST_LOST (MOST_QUESTIONS / (sizeof("lost 0 1\n") - 1))
#define EXTENTS 128
#define LONGEST_PATH 4096

/* Where answers go, and how many bytes they are by now. */
static FILE *answers_to;
static long answered;
/* Something could not be looked at; there is more to answer than the host takes. */
static bool unanswered, too_much;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list arguments;

	too_much |= answered >= MOST_ANSWERS;
	if (too_much)
		return;
	va_start(arguments, format);
	answered += vfprintf(answers_to, format, arguments);
	va_end(arguments);
}

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

static void compare(int descriptor, long from, long length, int byte)
{
	static unsigned char piece[PIECE];
	long first = -1, last = -1, count = 0, at = from, end = from + length;
	int found = 0;

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
		say("data same\n");
	else
		say("data differs %ld %ld %ld %d %ld\n", first, last, count, found,
		    position_of(descriptor, first));
}

/* ---- what is lost, and whose it is ---- */

static struct part {
	long position, length;
} lost[MOST_LOST];
static size_t lost_count;

static void print_path(const char *path)
{
	for (; *path; path++)
		if (*path > ' ' && *path < 0x7f && *path != '%')
			say("%c", *path);
		else
			say("%%%02x", (unsigned char)*path);
	say("\n");
}

/* Parts that are lost come in the order of their positions. */
static void print_held(const struct fiemap_extent *extent, void (*first)(void *), void *data)
{
	long from = extent->fe_physical, to = from + extent->fe_length;
	size_t low = 0, high = lost_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (lost[middle].position + lost[middle].length <= from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < lost_count && lost[low].position < to && !too_much; low++) {
		long begin = lost[low].position > from ? lost[low].position : from;
		long end = lost[low].position + lost[low].length;

		first(data);
		say("held %ld %ld %ld\n", (long)extent->fe_logical + (begin - from), begin,
		    (end < to ? end : to) - begin);
	}
}

/* Blocks that are allocated, and not written, read as zeros: what is there is nobody's. */
#define OF_NO_USE                                                                   \
	(FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | \
	 FIEMAP_EXTENT_DATA_INLINE)

static void look_at_extents(int descriptor, void (*first)(void *), void *data)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extents[EXTENTS];
	} asked;
	unsigned long at = 0;
	int last = lost_count == 0;

	while (!last) {
		memset(&asked.map, 0, sizeof asked.map);
		asked.map.fm_start = at;
		asked.map.fm_length = ~0ul - at;
		asked.map.fm_extent_count = EXTENTS;
		if (ioctl(descriptor, FS_IOC_FIEMAP, &asked.map) != 0) {
			unanswered = true;
			return;
		}
		if (asked.map.fm_mapped_extents == 0)
			return;
		for (unsigned int i = 0; i < asked.map.fm_mapped_extents; i++) {
			const struct fiemap_extent *extent = &asked.map.fm_extents[i];

			if (!(extent->fe_flags & OF_NO_USE))
				print_held(extent, first, data);
			at = extent->fe_logical + extent->fe_length;
			last = extent->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
}

struct found {
	const struct stat *is;
	const char *path;
	int printed;
};

static void print_file(void *data)
{
	struct found *found = data;

	if (found->printed++)
		return;
	say("file %lu %ld %ld %lu ", (unsigned long)found->is->st_ino, (long)found->is->st_size,
	    (long)found->is->st_blocks, (unsigned long)found->is->st_nlink);
	print_path(found->path);
}

/* By a handle as ext2, ext4 and xfs make them (linux/exportfs.h, FILEID_INO32_GEN). */
static void look_at_inode(unsigned int number, unsigned int generation)
{
	union {
		struct file_handle handle;
		struct {
			struct file_handle head;
			unsigned int words[2];
		};
	} asked = { .words = { number, generation } };
	int mount = open(".", O_RDONLY | O_DIRECTORY), descriptor;
	struct stat is;
	struct found found = { &is, "", 0 };

	asked.handle.handle_bytes = sizeof asked.words;
	asked.handle.handle_type = 1;
	descriptor = open_by_handle_at(mount, &asked.handle, O_RDONLY | O_NONBLOCK);
	close(mount);
	if (descriptor < 0) {
		/* There is none. */
		unanswered |= errno != ESTALE;
		return;
	}
	if (fstat(descriptor, &is) == 0 && S_ISREG(is.st_mode)) {
		print_file(&found);
		look_at_extents(descriptor, print_file, &found);
	}
	close(descriptor);
}

static void look_at_file(int directory, const char *name, const char *path)
{
	int descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct stat is;
	struct found found = { &is, path, 0 };

	if (descriptor < 0 || fstat(descriptor, &is) != 0)
		unanswered = true;
	else if (S_ISREG(is.st_mode))
		look_at_extents(descriptor, print_file, &found);
	if (descriptor >= 0)
		close(descriptor);
}

/* All below a directory. */
static void walk(int parent, const char *name, char *path)
{
	size_t length = strlen(path);
	int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
	struct dirent *entry;

	if (!directory) {
		unanswered = true;
		if (descriptor >= 0)
			close(descriptor);
		return;
	}
	while ((entry = readdir(directory))) {
		struct stat is;
		int type = entry->d_type;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (type == DT_UNKNOWN &&
		    fstatat(descriptor, entry->d_name, &is, AT_SYMLINK_NOFOLLOW) == 0)
			type = S_ISDIR(is.st_mode)   ? DT_DIR
			       : S_ISREG(is.st_mode) ? DT_REG
						     : DT_UNKNOWN;
		if (type != DT_DIR && type != DT_REG)
			continue;
		/* Of what is deeper than a path can be, the end of the path is told. */
		if (length + strlen(entry->d_name) + 2 <= LONGEST_PATH)
			sprintf(path + length, "%s%s", length ? "/" : "", entry->d_name);
		if (type == DT_DIR)
			walk(descriptor, entry->d_name, path);
		else
			look_at_file(descriptor, entry->d_name, path);
		path[length] = 0;
	}
	closedir(directory);
}

/* 0; 2 where a question was not understood, 3 where one cannot be answered, 4 where there is too much to say. */
static int answer(char *questions)
{
	char *line, *rest = questions;
	int descriptor = -1;

	lost_count = 0;
	unanswered = false;
	while ((line = strsep(&rest, "\n")) && *line) {
		char path[LONGEST_PATH] = "";
		long from, length;
		int byte;

		if (!strncmp(line, "name ", 5)) {
			if (descriptor >= 0)
				close(descriptor);
			descriptor = open_name(line + 5);
		} else if (sscanf(line, "lost %ld %ld", &from, &length) == 2) {
			lost[lost_count++] = (struct part){ from, length };
		} else if (sscanf(line, "inode %ld %ld", &from, &length) == 2) {
			look_at_inode(from, length);
			say("done\n");
		} else if (!strcmp(line, "tree")) {
			walk(AT_FDCWD, ".", path);
			say("done\n");
		} else if (sscanf(line, "data %ld %ld %d", &from, &length, &byte) != 3) {
			return 2;
		} else if (descriptor < 0) {
			say("data unreadable 2\n");
		} else {
			compare(descriptor, from, length, byte);
		}
	}
	if (descriptor >= 0)
		close(descriptor);
	say("end\n");
	return too_much ? 4 : unanswered ? 3 : 0;
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
	length = snprintf(head, sizeof(head),
			  "{\"event\":\"file\",\"name\":\"survivor-%ld%s\",\"size\":%zu}\n", number,
			  suffix, size);
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

/* Runs a check, and sends what it prints: its exit code does not tell all. */
static int check(long number, char *const argv[])
{
	size_t size;
	char *text;
	FILE *said = open_memstream(&text, &size);
	int status = run(argv, said);

	fclose(said);
	send_file(number, "-check", text, size);
	free(text);
	return status;
}

static const char *const NO_ANSWERS[] = {
	[2] = "a question was not understood",
	[3] = "a question cannot be answered",
	[4] = "there is more to answer than the host takes",
};

static int answers(const char *questions)
{
	char *copy = strdup(questions);
	int status = 2;

	if (copy && chdir(directory) == 0) {
		status = answer(copy);
		/* It is to be unmounted. */
		if (chdir("/") != 0)
			status = 2;
	}
	free(copy);
	return status;
}

/* As it is before a repair, where whose a block is can change by that. */
static bool ask_before_repair(const char *questions)
{
	if (strncmp(questions, "lost ", 5))
		return true;
	if (mount(device, directory, type, MS_RDONLY, NULL) != 0)
		return false;
	if (answers(questions) != 0)
		return false;
	say("repaired\n");
	return unmount(directory) == 0;
}

static void take_steps(long number, const char *questions, struct look *look)
{
	char *const repair[] = { "e2fsck", "-f", "-y", device, NULL };
	char *const check_ext[] = { "e2fsck", "-f", "-n", device, NULL };
	/* What it is told of memory and threads is for images that hold little. */
	char *const check_xfs[] = { "xfs_repair", "-n", "-P", "-o", "bhash=512", device, NULL };
	int looked;

	if (repairs && !ask_before_repair(questions)) {
		failed(look, "before the repair");
		return;
	}
	/* Up to 3: it has repaired all. */
	if (repairs && took(look->repair, check(number, repair)) > 3)
		return;
	if (took(look->mount, mount(device, directory, type, 0, NULL) == 0 ? 0 : 32) != 0) {
		failed(look, "mount");
		return;
	}
	looked = answers(questions);
	if (took(look->looked, looked) != 0)
		snprintf(look->said, sizeof(look->said), "%s", NO_ANSWERS[looked]);
	if (unmount(directory) != 0) {
		failed(look, "umount");
		return;
	}
	if (!repairs)
		took(look->check, check(number, strcmp(type, "xfs") ? check_ext : check_xfs));
}

static void look_at(long number, const char *questions)
{
	struct look look = { 0 };
	char text[512], *said;
	size_t size;
	int log, length;

	answers_to = open_memstream(&said, &size);
	answered = 0;
	too_much = false;

	length = snprintf(text, sizeof(text), "{\"event\":\"step\",\"name\":\"survivor-%ld\"}\n",
			  number);
	write_all(text, length);
	if (add_partition(disk, number * image_size, image_size) != 0) {
		failed(&look, "partition");
	} else {
		take_steps(number, questions, &look);
		delete_partition(disk, number * image_size, image_size);
	}
	fclose(answers_to);
	send_file(number, "", said, size);
	free(said);
	/* On the console, after what the kernel said of it: the host waits for this. */
	log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (log >= 0) {
		/* It takes one write, and no dprintf: that seeks. */
		length = snprintf(text, sizeof(text), "<5>daxrepro: survivor %ld.\n", number);
		if (write(log, text, length) != length)
			failed(&look, "/dev/kmsg");
		close(log);
	}
	length = snprintf(
		text, sizeof(text),
		"{\"event\":\"survivor\",\"number\":%ld,\"repair\":\"%s\",\"mount\":\"%s\","
		"\"looked\":\"%s\",\"check\":\"%s\",\"said\":\"%s\"}\n",
		number, look.repair, look.mount, look.looked, look.check, look.said);
	write_all(text, length);
}

int main(int argc, char **argv)
{
	static char questions[MOST_QUESTIONS + 2], line[64];
	long number, length;

	if (argc == 2 && chdir(argv[1]) == 0) {
		answers_to = stdout;
		length = fread(questions, 1, MOST_QUESTIONS + 1, stdin);
		questions[length] = 0;
		return length > MOST_QUESTIONS ? 2 : answer(questions);
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
		if (sscanf(line, "look %ld %ld", &number, &length) != 2 || length < 0 ||
		    length > MOST_QUESTIONS) {
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
