#define _GNU_SOURCE
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int channel;

bool channel_begin(void)
{
	channel = fcntl(1, F_DUPFD_CLOEXEC, 3);
	return channel >= 0;
}

static void write_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(channel, bytes, length);

		if (written < 0 && errno != EINTR)
			return;
		if (written > 0) {
			bytes += written;
			length -= written;
		}
	}
}

void send_event(const char *format, ...)
{
	char line[1024];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	write_all(line, length);
}

void send_file(long number, const char *suffix, const char *text, size_t size)
{
	if (size == 0)
		return;
	send_event("{\"event\":\"file\",\"name\":\"survivor-%ld%s\",\"size\":%zu}\n", number,
		   suffix, size);
	write_all(text, size);
}

int print_on_console(const char *line)
{
	ssize_t length = strlen(line);
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	bool printed;

	if (log < 0)
		return -1;
	/* In one write: each is a line of its own. */
	printed = write(log, line, length) == length;
	close(log);
	return printed ? 0 : -1;
}
