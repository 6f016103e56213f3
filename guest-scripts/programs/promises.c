/*
 * Does what a script on stdin says to files, and tells by marks (marker.h) what the file system has
 * promised by it, and when a promise ends:
 *
 *   {"kind":"change","file":1,"from":0,"to":4096}    from here on these bytes may be old or new
 *   {"kind":"size","file":1}                         its size may be old or new
 *   {"kind":"create","name":"a","file":1}            the name may be there or not
 *   {"kind":"rename","from":"a","to":"b","file":1}   it may have either name
 *   {"kind":"unlink","name":"a"}
 *   {"kind":"promise","by":"fsync","file":1,"name":"a","size":8192,
 *    "data":[[0,4096,17],[4096,4096,34]],"checksum":"…"}
 *   {"kind":"promise","by":"fsync-directory","names":[["a",1],["b",0]]}    0: it is not there
 *
 * A change is told before it is made, a promise after the call that gives it has returned. What is
 * promised is what the script wrote, never what is read back: parts of a file as [offset, length,
 * byte]. "size" is there where the call promises it, "checksum" is FNV-1a (64 bits) of the bytes of
 * "data" in their order. A file's number is its inode's for good; names are paths below the working
 * directory.
 *
 * The script, a command a line; numbers may end in k or m:
 *
 *   begin                             sync(2); from here on it counts, and what is there is promised
 *   directory NAME
 *   file NAME [sync | dsync]          a new one, open for the commands that follow
 *   use NAME [sync | dsync]           one of before, again
 *   write OFFSET LENGTH BYTE          pwrite(2); BYTE is hexadecimal
 *   append LENGTH BYTE
 *   truncate SIZE
 *   punch OFFSET LENGTH               a hole; the size stays
 *   map OFFSET LENGTH [sync]          shared; with MAP_SYNC
 *   store OFFSET LENGTH BYTE          through the mapping
 *   flush OFFSET LENGTH               by the program alone: clwb and sfence; a promise with MAP_SYNC
 *   fsync | fdatasync
 *   msync OFFSET LENGTH
 *   sync
 *   sync-directory NAME               fsync of it
 *   rename FROM TO
 *   unlink NAME
 *   thread CPU … end                  several of these in a row run at the same time, each with files
 *                                     of its own
 *
 * Exit codes: 0; 1 a call failed, 2 the script is no good; 77 what it needs is not there (MAP_SYNC).
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "marker.h"

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif

#define LINE_SIZE 64
#define MOST_FILES 64
#define MOST_NAMES 128
#define LARGEST_FILE (64l << 20)
/* Parts of a file in one record: each takes 30 bytes at most. */
#define PARTS_IN_RECORD 100

struct file {
	unsigned char *content; /* as the script made it */
	long size;
	const char *opened_as; /* how its last descriptor was opened: "", sync or dsync */
};

/* Numbers of files are indices; 0 is none. A name that is known to be absent has file 0. */
static struct file files[MOST_FILES];
static int file_count = 1;
static struct {
	char text[64];
	int file;
} names[MOST_NAMES];
static int name_count;
/* Guards the tables: files and names of different threads stand side by side. */
static pthread_mutex_t tables = PTHREAD_MUTEX_INITIALIZER;

/* What a thread works on. */
struct worker {
	int cpu;
	char **lines;
	int count;
	pthread_t thread;
	int file;
	int descriptor;
	char name[64];
	char *mapping;
	long mapped_from, mapped_length;
	int map_sync;
};

static void give_up(int code, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

static void give_up(int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	_exit(code);
}

static void must(int held, const char *what)
{
	if (!held)
		give_up(1, "%s: %s", what, strerror(errno));
}

/* ---- marks ---- */

static void __attribute__((format(printf, 1, 2))) mark(const char *format, ...)
{
	char record[LONGEST_RECORD];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(record, sizeof record, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= LONGEST_RECORD)
		give_up(2, "a record is too long");
	marker_record(record, length);
}

static void cut(const char *label)
{
	char record[128];

	marker_cut(record, snprintf(record, sizeof record, "%s", label));
}

static void changes(int file, long from, long to)
{
	mark("{\"kind\":\"change\",\"file\":%d,\"from\":%ld,\"to\":%ld}", file, from, to);
}

/*
 * Promises the bytes of a range that are within the file, in as many records as it takes; with its
 * last one the size, where the call promises that too.
 */
static void promise_data(const char *by, int number, const char *name, long from, long to,
			 int with_size)
{
	struct file *file = &files[number];
	int more = 1;

	if (to > file->size)
		to = file->size;
	while (more) {
		char parts[PARTS_IN_RECORD * 32] = "", size[40] = "";
		unsigned long long checksum = 0xcbf29ce484222325ull;
		int used = 0, count = 0;

		for (; from < to && count < PARTS_IN_RECORD; count++) {
			long begin = from;
			unsigned char byte = file->content[from];

			for (; from < to && file->content[from] == byte; from++)
				checksum = (checksum ^ byte) * 0x100000001b3ull;
			used += snprintf(parts + used, sizeof parts - used, "%s[%ld,%ld,%d]",
					 count ? "," : "", begin, from - begin, byte);
		}
		more = from < to;
		if (with_size && !more)
			snprintf(size, sizeof size, "\"size\":%ld,", file->size);
		mark("{\"kind\":\"promise\",\"by\":\"%s\",\"file\":%d,\"name\":\"%s\",%s"
		     "\"data\":[%s],\"checksum\":\"%016llx\"}",
		     by, number, name, size, parts, checksum);
	}
}

/* ---- names ---- */

static int find_name(const char *text)
{
	for (int i = 0; i < name_count; i++)
		if (!strcmp(names[i].text, text))
			return i;
	return -1;
}

static int known_name(const char *text)
{
	int index = find_name(text);

	if (index < 0 || names[index].file == 0)
		give_up(2, "there is no %s", text);
	return index;
}

static int add_name(const char *text)
{
	int index = find_name(text);

	if (strlen(text) >= sizeof names[0].text || strpbrk(text, "\"\\"))
		give_up(2, "%s is no name", text);
	if (index >= 0)
		return index;
	if (name_count == MOST_NAMES)
		give_up(2, "too many names");
	strcpy(names[name_count].text, text);
	return name_count++;
}

static int is_in(const char *name, const char *directory)
{
	const char *slash = strrchr(name, '/');

	if (!strcmp(directory, "."))
		return !slash;
	return slash && strlen(directory) == (size_t)(slash - name) &&
	       !strncmp(name, directory, slash - name);
}

/* Promises what names the script has made and removed in a directory; NULL: in all. */
static void promise_names(const char *by, const char *directory)
{
	char list[LONGEST_RECORD - 128] = "";
	int used = 0;

	for (int i = 0; i < name_count; i++) {
		if (directory && !is_in(names[i].text, directory))
			continue;
		used += snprintf(list + used, sizeof list - used, "%s[\"%s\",%d]", used ? "," : "",
				 names[i].text, names[i].file);
		if (used >= (int)sizeof list - 100)
			give_up(2, "too many names for a record");
	}
	mark("{\"kind\":\"promise\",\"by\":\"%s\",\"names\":[%s]}", by, list);
}

/* ---- files ---- */

static void open_file(struct worker *worker, const char *name, const char *how, int flags)
{
	if (!strcmp(how, "sync"))
		flags |= O_SYNC;
	else if (!strcmp(how, "dsync"))
		flags |= O_DSYNC;
	else if (*how)
		give_up(2, "sync or dsync, not %s", how);
	if (worker->descriptor >= 0)
		must(close(worker->descriptor) == 0, "close");
	worker->descriptor = open(name, flags, 0644);
	must(worker->descriptor >= 0, name);
	snprintf(worker->name, sizeof worker->name, "%s", name);
	files[worker->file].opened_as = !*how ? "" : strcmp(how, "sync") ? "O_DSYNC" : "O_SYNC";
}

static void new_file(struct worker *worker, const char *name, const char *how)
{
	int index;

	pthread_mutex_lock(&tables);
	index = add_name(name);
	if (file_count == MOST_FILES)
		give_up(2, "too many files");
	worker->file = file_count++;
	pthread_mutex_unlock(&tables);
	files[worker->file].content = mmap(NULL, LARGEST_FILE, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(files[worker->file].content != MAP_FAILED, "memory");
	mark("{\"kind\":\"create\",\"name\":\"%s\",\"file\":%d}", name, worker->file);
	open_file(worker, name, how, O_RDWR | O_CREAT | O_EXCL);
	names[index].file = worker->file;
}

static void use_file(struct worker *worker, const char *name, const char *how)
{
	worker->file = names[known_name(name)].file;
	open_file(worker, name, how, O_RDWR);
}

static struct file *current(struct worker *worker)
{
	if (worker->descriptor < 0)
		give_up(2, "no file is open");
	return &files[worker->file];
}

static void write_file(struct worker *worker, long offset, long length, int byte)
{
	struct file *file = current(worker);
	long end = offset + length, done = 0;
	int grows = end > file->size;

	if (offset < 0 || length <= 0 || end > LARGEST_FILE)
		give_up(2, "write %ld %ld", offset, length);
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

static void set_size(struct worker *worker, long size)
{
	struct file *file = current(worker);
	long less = size < file->size ? size : file->size;
	long more = size < file->size ? file->size : size;

	if (size < 0 || size > LARGEST_FILE)
		give_up(2, "truncate %ld", size);
	mark("{\"kind\":\"size\",\"file\":%d}", worker->file);
	changes(worker->file, less, more);
	memset(file->content + less, 0, more - less);
	file->size = size;
	must(ftruncate(worker->descriptor, size) == 0, "truncate");
}

static void punch(struct worker *worker, long offset, long length)
{
	struct file *file = current(worker);
	long end = offset + length > file->size ? file->size : offset + length;

	changes(worker->file, offset, end);
	if (end > offset)
		memset(file->content + offset, 0, end - offset);
	must(fallocate(worker->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
		       length) == 0,
	     "punch");
}

/* ---- mappings ---- */

static void map(struct worker *worker, long offset, long length, const char *how)
{
	int flags = MAP_SHARED;

	current(worker);
	if (worker->mapping)
		must(munmap(worker->mapping, worker->mapped_length) == 0, "munmap");
	worker->map_sync = !strcmp(how, "sync");
	if (worker->map_sync)
		flags = MAP_SHARED_VALIDATE | MAP_SYNC;
	else if (*how)
		give_up(2, "map … sync, not %s", how);
	worker->mapping =
		mmap(NULL, length, PROT_READ | PROT_WRITE, flags, worker->descriptor, offset);
	if (worker->mapping == MAP_FAILED && worker->map_sync && errno == EOPNOTSUPP)
		give_up(77,
			"the kernel refuses MAP_SYNC here, as for devices that flush by request (virtio-pmem)");
	must(worker->mapping != MAP_FAILED, "mmap");
	worker->mapped_from = offset;
	worker->mapped_length = length;
}

static char *mapped(struct worker *worker, long offset, long length)
{
	if (!worker->mapping || offset < worker->mapped_from || length <= 0 ||
	    offset + length > worker->mapped_from + worker->mapped_length ||
	    offset + length > current(worker)->size)
		give_up(2, "%ld, %ld bytes, is not mapped, or not in the file", offset, length);
	return worker->mapping + (offset - worker->mapped_from);
}

/* What a finding names as having stored: ordinary stores of eight bytes, and of one at the ends. */
static void __attribute__((noinline)) store_bytes(volatile char *to, long length, int byte)
{
	unsigned long eight = (unsigned char)byte * 0x0101010101010101ul;

	for (; length > 0 && ((unsigned long)to & 7); to++, length--)
		*to = byte;
	for (; length >= 8; to += 8, length -= 8)
		*(volatile unsigned long *)to = eight;
	for (; length > 0; to++, length--)
		*to = byte;
}

static void store(struct worker *worker, long offset, long length, int byte)
{
	char *to = mapped(worker, offset, length);

	changes(worker->file, offset, offset + length);
	memset(files[worker->file].content + offset, byte, length);
	store_bytes(to, length, byte);
}

static int has_clwb(void)
{
	unsigned int a, b = 0, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 24));
}

static void __attribute__((noinline)) flush_lines(char *from, long length)
{
	char *line = (char *)((unsigned long)from & ~(LINE_SIZE - 1ul));
	int clwb = has_clwb();

	for (; line < from + length; line += LINE_SIZE) {
		if (clwb)
			__asm__ volatile("clwb %0" : "+m"(*line));
		else
			__asm__ volatile("clflush %0" : "+m"(*line));
	}
	__asm__ volatile("sfence" ::: "memory");
}

static void flush(struct worker *worker, long offset, long length)
{
	flush_lines(mapped(worker, offset, length), length);
	if (!worker->map_sync)
		return;
	promise_data("MAP_SYNC", worker->file, worker->name, offset, offset + length, 0);
	cut("MAP_SYNC");
}

/* ---- what synchronises ---- */

static void sync_file(struct worker *worker, int data_only)
{
	struct file *file = current(worker);
	const char *by = data_only ? "fdatasync" : "fsync";

	must((data_only ? fdatasync : fsync)(worker->descriptor) == 0, by);
	promise_data(by, worker->file, worker->name, 0, file->size, 1);
	cut(by);
}

static void sync_mapping(struct worker *worker, long offset, long length)
{
	char *from = mapped(worker, offset, length);
	char *page = (char *)((unsigned long)from & ~4095ul);

	must(msync(page, from + length - page, MS_SYNC) == 0, "msync");
	promise_data("msync", worker->file, worker->name, offset, offset + length, 0);
	cut("msync");
}

static void sync_all(void)
{
	sync();
	for (int i = 0; i < name_count; i++)
		if (names[i].file)
			promise_data("sync", names[i].file, names[i].text, 0,
				     files[names[i].file].size, 1);
	promise_names("sync", NULL);
	cut("sync");
}

/* Before the first mark: what came before is told as one promise, that of sync(2). */
static void begin(void)
{
	sync();
	marker_begin("", 0);
	promise_names("begin", NULL);
	for (int i = 0; i < name_count; i++)
		if (names[i].file)
			promise_data("begin", names[i].file, names[i].text, 0,
				     files[names[i].file].size, 1);
}

static void sync_directory(const char *name)
{
	int descriptor = open(name, O_RDONLY | O_DIRECTORY);

	must(descriptor >= 0, name);
	must(fsync(descriptor) == 0, "fsync of a directory");
	close(descriptor);
	promise_names("fsync-directory", name);
	cut("fsync-directory");
}

static void rename_file(const char *from, const char *to)
{
	int old = known_name(from), new = add_name(to);

	mark("{\"kind\":\"rename\",\"from\":\"%s\",\"to\":\"%s\",\"file\":%d}", from, to,
	     names[old].file);
	must(rename(from, to) == 0, "rename");
	names[new].file = names[old].file;
	names[old].file = 0;
}

static void unlink_file(const char *name)
{
	int index = known_name(name);

	mark("{\"kind\":\"unlink\",\"name\":\"%s\"}", name);
	must(unlink(name) == 0, "unlink");
	names[index].file = 0;
}

/* ---- the script ---- */

static long number(const char *text, int base)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, base);
	if (base == 10 && *end == 'k')
		value <<= 10, end++;
	else if (base == 10 && *end == 'm')
		value <<= 20, end++;
	if (errno || !*text || *end)
		give_up(2, "\"%s\" is no number", text);
	return value;
}

static void run_line(struct worker *worker, const char *line)
{
	char words[4][64] = { "", "", "", "" };
	int count = sscanf(line, "%63s %63s %63s %63s", words[0], words[1], words[2], words[3]);
	const char *a = words[1], *b = words[2], *c = words[3], *command = words[0];
#define IS(name, wanted) (!strcmp(command, name) && count - 1 >= (wanted))

	if (count < 1 || *command == '#')
		return;
	if (IS("begin", 0))
		begin();
	else if (IS("directory", 1))
		must(mkdir(a, 0755) == 0, "mkdir");
	else if (IS("file", 1))
		new_file(worker, a, b);
	else if (IS("use", 1))
		use_file(worker, a, b);
	else if (IS("write", 3))
		write_file(worker, number(a, 10), number(b, 10), number(c, 16));
	else if (IS("append", 2))
		write_file(worker, current(worker)->size, number(a, 10), number(b, 16));
	else if (IS("truncate", 1))
		set_size(worker, number(a, 10));
	else if (IS("punch", 2))
		punch(worker, number(a, 10), number(b, 10));
	else if (IS("map", 2))
		map(worker, number(a, 10), number(b, 10), c);
	else if (IS("store", 3))
		store(worker, number(a, 10), number(b, 10), number(c, 16));
	else if (IS("flush", 2))
		flush(worker, number(a, 10), number(b, 10));
	else if (IS("fsync", 0))
		sync_file(worker, 0);
	else if (IS("fdatasync", 0))
		sync_file(worker, 1);
	else if (IS("msync", 2))
		sync_mapping(worker, number(a, 10), number(b, 10));
	else if (IS("sync", 0))
		sync_all();
	else if (IS("sync-directory", 1))
		sync_directory(a);
	else if (IS("rename", 2))
		rename_file(a, b);
	else if (IS("unlink", 1))
		unlink_file(a);
	else
		give_up(2, "what is \"%s\"?", line);
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	if (worker->cpu >= 0) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(worker->cpu, &one);
		if (sched_setaffinity(0, sizeof one, &one) != 0)
			give_up(77, "there is no processor %d", worker->cpu);
	}
	for (int i = 0; i < worker->count; i++)
		run_line(worker, worker->lines[i]);
	return NULL;
}

int main(void)
{
	static char *lines[1024];
	static struct worker threads[8];
	static struct worker self = { .cpu = -1, .descriptor = -1 };
	int count = 0, running = 0;
	char line[256];

	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (count == 1024)
			give_up(2, "the script is too long");
		lines[count++] = strdup(line + strspn(line, " \t"));
	}
	for (int i = 0; i < count; i++) {
		int cpu, end;

		if (sscanf(lines[i], "thread %d", &cpu) != 1) {
			for (; running > 0; running--)
				must(pthread_join(threads[running - 1].thread, NULL) == 0, "join");
			run_line(&self, lines[i]);
			continue;
		}
		for (end = i + 1; end < count && strcmp(lines[end], "end"); end++)
			;
		if (running == 8 || end == count)
			give_up(2, "a thread has no end, or there are too many");
		threads[running] = (struct worker){
			.cpu = cpu, .lines = lines + i + 1, .count = end - i - 1, .descriptor = -1
		};
		must(pthread_create(&threads[running].thread, NULL, work, &threads[running]) == 0,
		     "thread");
		running++;
		i = end;
	}
	for (; running > 0; running--)
		must(pthread_join(threads[running - 1].thread, NULL) == 0, "join");
	marker_end("", 0);
	return 0;
}
