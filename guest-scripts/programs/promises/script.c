#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "give-up.h"
#include "mappings.h"
#include "syncs.h"

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
		give_up(BAD_SCRIPT, "\"%s\" is no number", text);
	return value;
}

void run_line(struct worker *worker, const char *line)
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
	else if (IS("allocate", 2))
		allocate(worker, number(a, 10), number(b, 10));
	else if (IS("punch", 2))
		punch(worker, number(a, 10), number(b, 10));
	else if (IS("zero", 2))
		zero(worker, number(a, 10), number(b, 10));
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
		give_up(BAD_SCRIPT, "what is \"%s\"?", line);
}
