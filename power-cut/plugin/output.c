// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file {
	FILE *stream;
	bool failed;
	char name[128];
};

static int directory_fd = -1, events_fd = -1;
static uint64_t bytes_written, sequence;
static pthread_mutex_t events_mutex = PTHREAD_MUTEX_INITIALIZER;

bool output_open(const char *directory)
{
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return false;
	events_fd = openat(directory_fd, "events.jsonl",
			   O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	return events_fd >= 0;
}

bool file_exists(const char *name)
{
	return faccessat(directory_fd, name, F_OK, 0) == 0;
}

uint64_t output_bytes(void)
{
	return bytes_written;
}

/* The caller frees it. Without memory an event would be lost, so this ends QEMU. */
static char *formatted(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		abort();
	return text;
}

/* One write per line, so that a reader never sees half a line of a killed QEMU. */
static void write_event(const char *name, const char *rest)
{
	char *line;
	int length;

	pthread_mutex_lock(&events_mutex);
	length = asprintf(&line, "{\"event\":\"%s\",\"sequence\":%" PRIu64 "%s%s}\n", name,
			  ++sequence, *rest ? "," : "", rest);
	if (length < 0 || write(events_fd, line, length) != length)
		abort();
	bytes_written += length;
	free(line);
	pthread_mutex_unlock(&events_mutex);
}

void event(const char *name, const char *format, ...)
{
	va_list arguments;
	char *rest;

	va_start(arguments, format);
	rest = formatted(format, arguments);
	va_end(arguments);
	write_event(name, rest);
	free(rest);
}

void problem(const char *format, ...)
{
	va_list arguments;
	char *text, *escaped;

	va_start(arguments, format);
	text = formatted(format, arguments);
	va_end(arguments);
	escaped = malloc(escaped_room(strlen(text)));
	if (!escaped)
		abort();
	escape((const uint8_t *)text, strlen(text), escaped);
	event("problem", "\"text\":%s", escaped);
	free(escaped);
	free(text);
}

void escape(const uint8_t *text, size_t length, char *to)
{
	*to++ = '"';
	for (size_t index = 0; index < length; index++) {
		uint8_t byte = text[index];
		if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
			to += sprintf(to, "\\u%04x", byte);
		else
			*to++ = byte;
	}
	*to++ = '"';
	*to = 0;
}

struct file *file_begin(const char *name)
{
	struct file *file = calloc(1, sizeof(*file));
	char partial[140];
	int fd;

	if (!file)
		abort();
	snprintf(file->name, sizeof(file->name), "%s", name);
	snprintf(partial, sizeof(partial), "%s.partial", name);
	fd = openat(directory_fd, partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	file->stream = fd < 0 ? NULL : fdopen(fd, "w");
	file->failed = !file->stream;
	return file;
}

void file_write(struct file *file, const void *bytes, size_t length)
{
	if (file->failed)
		return;
	file->failed = fwrite(bytes, 1, length, file->stream) != length;
	bytes_written += length;
}

void file_print(struct file *file, const char *format, ...)
{
	va_list arguments;

	if (file->failed)
		return;
	va_start(arguments, format);
	int length = vfprintf(file->stream, format, arguments);
	va_end(arguments);
	file->failed = length < 0;
	bytes_written += length > 0 ? length : 0;
}

void file_place(struct file *file, const void *bytes, size_t length, uint64_t offset)
{
	if (file->failed)
		return;
	file->failed = fseeko(file->stream, offset, SEEK_SET) != 0;
	file_write(file, bytes, length);
}

void file_size(struct file *file, uint64_t size)
{
	if (!file->failed)
		file->failed =
			fflush(file->stream) != 0 || ftruncate(fileno(file->stream), size) != 0;
}

bool file_end(struct file *file)
{
	char partial[140];
	bool failed = file->failed;
	int error = errno;

	snprintf(partial, sizeof(partial), "%s.partial", file->name);
	if (file->stream && fclose(file->stream) != 0)
		failed = true;
	if (!failed && renameat(directory_fd, partial, directory_fd, file->name) != 0)
		failed = true;
	if (failed)
		problem("cannot write %s: %s", file->name, strerror(error ? error : errno));
	free(file);
	return !failed;
}

struct record {
	uint32_t range, length;
	uint64_t offset;
};

struct file *delta_begin(const char *name)
{
	struct file *file = file_begin(name);

	file_write(file, "DAXRCUT1", 8);
	return file;
}

void delta_add(struct file *file, uint32_t range, uint64_t offset, const void *bytes,
	       uint32_t length)
{
	struct record record = { .range = range, .length = length, .offset = offset };

	file_write(file, &record, sizeof(record));
	file_write(file, bytes, length);
}

bool delta_end(struct file *file)
{
	struct record end = { .range = UINT32_MAX };

	file_write(file, &end, sizeof(end));
	return file_end(file);
}
