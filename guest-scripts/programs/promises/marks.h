/*
 * Tells by marks what is about to change, and what was promised (../marker.h; main.c has the
 * records).
 */
#ifndef MARKS_H
#define MARKS_H

/* A record. */
void mark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Cuts the power now. */
void cut(const char *label);

/* From now on these bytes of a file may be old or new. */
void changes(int file, long from, long to);

/*
 * Promises the bytes of a range that are within the file, in as many records as it takes; with
 * the last one the size, where the call promises that too.
 */
void promise_data(const char *by, int number, const char *name, long from, long to, int with_size);

/* Promises which names the script has made and removed in a directory; NULL: in all directories. */
void promise_names(const char *by, const char *directory);

#endif
