/* Ends the program with a line on standard output. */
#ifndef GIVE_UP_H
#define GIVE_UP_H

/* Exit codes. */
enum { CALL_FAILED = 1, BAD_SCRIPT = 2, NOT_THERE = 77 };

void give_up(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Gives up with the call's error where it has failed. */
void must(int held, const char *what);

#endif
