/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Marks: instructions that do nothing, which the plugin of --power-cut recognises
 * (power-cut/plugin/README.md). Each may have a record, which is JSON.
 */
#pragma once

#include <linux/types.h>

#define MARK_BEGIN "0x01"
#define MARK_RECORD "0x02"
#define MARK_END "0x04"
#define MARK_CALL "0x05"
#define MARK_RETURN "0x06"

#define MARK(kind, record, length, number, device)                                              \
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00, " kind ", 0x44, 0x41, 0x58"                 \
		     :                                                                          \
		     : "D"(record), "S"((unsigned long)(length)), "d"((unsigned long)(number)), \
		       "c"((long)(device))                                                      \
		     : "memory")

/* In place of a device's number. */
#define ALL_DEVICES -1

struct text {
	char *at;
	size_t used;
};

/*
 * Begins a record. It is for this CPU alone: preemption is off until the mark. Where the record
 * is too long its end is missing, and the host rejects it.
 */
struct text text_begin(const char *kind);

__printf(2, 3) void text_add(struct text *text, const char *format, ...);

/* Adds a field. Each byte beyond ASCII becomes \u00XX, whatever the encoding is. */
void text_add_string(struct text *text, const char *name, const char *value);
