#include "marks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../marker.h"
#include "give-up.h"
#include "tables.h"

/* Parts of a file in one record: each takes 30 bytes at most. */
#define PARTS_IN_RECORD 100

void mark(const char *format, ...)
{
	char record[LONGEST_RECORD];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(record, sizeof record, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= LONGEST_RECORD)
		give_up(BAD_SCRIPT, "a record is too long");
	marker_record(record, length);
}

void cut(const char *label)
{
	char record[128];

	marker_cut(record, snprintf(record, sizeof record, "%s", label));
}

void changes(int file, long from, long to)
{
	mark("{\"kind\":\"change\",\"file\":%d,\"from\":%ld,\"to\":%ld}", file, from, to);
}

void promise_data(const char *by, int number, const char *name, long from, long to, int with_size)
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

void promise_names(const char *by, const char *directory)
{
	char list[LONGEST_RECORD - 128] = "";
	int used = 0;

	for (int i = 0; i < name_count; i++) {
		if (directory && !is_in(names[i].text, directory))
			continue;
		used += snprintf(list + used, sizeof list - used, "%s[\"%s\",%d]", used ? "," : "",
				 names[i].text, names[i].file);
		if (used >= (int)sizeof list - 100)
			give_up(BAD_SCRIPT, "too many names for a record");
	}
	mark("{\"kind\":\"promise\",\"by\":\"%s\",\"names\":[%s]}", by, list);
}
