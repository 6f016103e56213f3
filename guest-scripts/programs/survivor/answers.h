/* What the program says to the questions about one image. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdbool.h>
#include <stdio.h>

/* How questions were answered. */
enum answered {
	ANSWERED = 0,
	/* A question is none that the program knows. */
	NOT_UNDERSTOOD = 2,
	/* A file or a directory could not be read. */
	NOT_ANSWERED = 3,
	/* There is more to say than the host takes. */
	TOO_MUCH = 4,
};

/* Answers go to this stream from now on, and none is missing yet. */
void answers_begin(FILE *to);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Some answer is missing. */
void not_answered(void);

/* Whether nothing more is said. */
bool said_too_much(void);

/* What is to be told of all answers since `answers_begin`. */
enum answered answers_end(void);

#endif
