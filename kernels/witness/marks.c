// SPDX-License-Identifier: MIT OR GPL-2.0
#include "marks.h"

#include <linux/kernel.h>
#include <linux/percpu.h>

#define LONGEST_RECORD 2048

static DEFINE_PER_CPU(char[LONGEST_RECORD], records);

void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->used +=
		vscnprintf(text->at + text->used, LONGEST_RECORD - text->used, format, arguments);
	va_end(arguments);
}

void text_add_string(struct text *text, const char *name, const char *value)
{
	text_add(text, ",\"%s\":\"", name);
	for (; *value && text->used < LONGEST_RECORD - 16; value++) {
		unsigned char byte = *value;

		if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
			text_add(text, "\\u%04x", byte);
		else
			text_add(text, "%c", byte);
	}
	text_add(text, "\"");
}

struct text text_begin(const char *kind)
{
	struct text text = { .at = this_cpu_ptr(records) };

	text_add(&text, "{\"kind\":\"%s\"", kind);
	return text;
}
