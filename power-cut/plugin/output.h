// SPDX-License-Identifier: MIT
/*
 * Writes files in the output directory: events as they happen, other files completely or not at
 * all. Every failure is a `problem`, or ends QEMU: nothing is left out silently.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The directory for all files; opens events.jsonl. */
bool output_open(const char *directory);

/* One line. `format` is for its JSON fields; "sequence" comes before them. */
void event(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An error that makes the whole run unusable. */
void problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * A JSON string, quotes included; each byte from 0x7f on is \u00XX, whatever encoding the text has.
 * `to` has room for `escaped_room(length)` bytes.
 */
void escape(const uint8_t *text, size_t length, char *to);
static inline size_t escaped_room(size_t length)
{
	return 6 * length + 3;
}

/* A file that gets its name when it is complete. */
struct file;
struct file *file_begin(const char *name);
void file_write(struct file *file, const void *bytes, size_t length);
void file_print(struct file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes at this offset. In the end the file has at least `size` bytes. */
void file_place(struct file *file, const void *bytes, size_t length, uint64_t offset);
void file_size(struct file *file, uint64_t size);
/* Returns false, after a `problem`, if any part of it failed. */
bool file_end(struct file *file);

/*
 * Deltas: pieces of an image that differ from what the reader already has (README.md has their
 * form).
 */
struct file *delta_begin(const char *name);
void delta_add(struct file *file, uint32_t range, uint64_t offset, const void *bytes,
	       uint32_t length);
bool delta_end(struct file *file);

/* Whether the reader has made this file. */
bool file_exists(const char *name);

/* Bytes in all files so far. */
uint64_t output_bytes(void);
