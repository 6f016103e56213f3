#define _GNU_SOURCE
#include "give-up.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void give_up(int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	_exit(code);
}

void must(int held, const char *what)
{
	if (!held)
		give_up(CALL_FAILED, "%s: %s", what, strerror(errno));
}
