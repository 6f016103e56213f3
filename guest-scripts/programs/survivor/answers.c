#include "answers.h"

#include <stdarg.h>

#include "limits.h"

static FILE *stream;
static long said;
static bool missing, too_much;

void answers_begin(FILE *to)
{
	stream = to;
	said = 0;
	missing = too_much = false;
}

void say(const char *format, ...)
{
	va_list arguments;
	int written;

	too_much |= said >= MOST_ANSWERS;
	if (too_much)
		return;
	va_start(arguments, format);
	written = vfprintf(stream, format, arguments);
	va_end(arguments);
	if (written < 0)
		missing = true;
	else
		said += written;
}

void not_answered(void)
{
	missing = true;
}

bool said_too_much(void)
{
	return too_much;
}

enum answered answers_end(void)
{
	return too_much ? TOO_MUCH : missing ? NOT_ANSWERED : ANSWERED;
}
