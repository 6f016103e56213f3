/* What the program says to the questions about one image. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdbool.h>
#include <stdio.h>

/* How questions were answered. */
enum answered {
	ANSWERED = 0,
	/* A question is unknown. */
	NOT_UNDERSTOOD = 2,
	/* A file or a directory could not be read. */
	NOT_ANSWERED = 3,
	/* There are more answers than the host accepts. */
	TOO_MUCH = 4,
};

/* Sends answers to this stream from now on. None is missing yet. */
void answers_begin(FILE *to);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Notes that an answer is missing. */
void not_answered(void);

/* Whether answers are no longer accepted. */
bool said_too_much(void);

/* The status of all answers since `answers_begin`. */
enum answered answers_end(void);

#endif
