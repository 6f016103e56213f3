#define _GNU_SOURCE
#include "mappings.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "files.h"
#include "give-up.h"
#include "marks.h"

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif

#define LINE_SIZE 64

void map(struct worker *worker, long offset, long length, const char *how)
{
	int flags = MAP_SHARED;

	current(worker);
	if (worker->mapping)
		must(munmap(worker->mapping, worker->mapped_length) == 0, "munmap");
	worker->map_sync = !strcmp(how, "sync");
	if (worker->map_sync)
		flags = MAP_SHARED_VALIDATE | MAP_SYNC;
	else if (*how)
		give_up(BAD_SCRIPT, "map … sync, not %s", how);
	worker->mapping =
		mmap(NULL, length, PROT_READ | PROT_WRITE, flags, worker->descriptor, offset);
	if (worker->mapping == MAP_FAILED && worker->map_sync && errno == EOPNOTSUPP)
		give_up(NOT_THERE, "the kernel refuses MAP_SYNC here, as it does on virtio-pmem");
	must(worker->mapping != MAP_FAILED, "mmap");
	worker->mapped_from = offset;
	worker->mapped_length = length;
}

char *mapped(struct worker *worker, long offset, long length)
{
	if (!worker->mapping || offset < worker->mapped_from || length <= 0 ||
	    offset + length > worker->mapped_from + worker->mapped_length ||
	    offset + length > current(worker)->size)
		give_up(BAD_SCRIPT, "%ld, %ld bytes, is not mapped, or not in the file", offset,
			length);
	return worker->mapping + (offset - worker->mapped_from);
}

/* A finding names this function as the storing code: eight bytes at a time, single bytes at the ends. */
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

void store(struct worker *worker, long offset, long length, int byte)
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

void flush(struct worker *worker, long offset, long length)
{
	flush_lines(mapped(worker, offset, length), length);
	if (!worker->map_sync)
		return;
	promise_data("MAP_SYNC", worker->file, worker->name, offset, offset + length, 0);
	cut("MAP_SYNC");
}
