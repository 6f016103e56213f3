/* What goes to the host: events, and files (lib/channel.sh has their form). */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Events go to standard output from now on, whatever else does with it. false, with errno, where
 * they cannot.
 */
bool channel_begin(void);

/* One event, a line. */
void send_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The file `survivor-NUMBERsuffix`; none where it is empty. */
void send_file(long number, const char *suffix, const char *text, size_t size);

/* A line on the console, after what the kernel has printed. Returns 0, or -1 with errno. */
int print_on_console(const char *line);

#endif
