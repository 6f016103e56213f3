/* The files and names that the script has made, and what is known about them. */
#ifndef TABLES_H
#define TABLES_H

#include <pthread.h>

#define MOST_FILES 64
#define MOST_NAMES 128
#define LARGEST_FILE (64l << 20)
/* With the zero at its end. */
#define LONGEST_NAME 64

/* A file, as the script made it. */
struct file {
	unsigned char *content;
	long size;
	/* How its last descriptor was opened: "", O_SYNC or O_DSYNC. */
	const char *opened_as;
};

/* Numbers of files are indices; 0 is none. A name that is known to be absent has file 0. */
struct name {
	char text[LONGEST_NAME];
	int file;
};

extern struct file files[MOST_FILES];
extern int file_count;
extern struct name names[MOST_NAMES];
extern int name_count;

/* Guards the counts. Files and names of different threads stand side by side. */
extern pthread_mutex_t tables;

/* The index of a name that leads to a file; ends the program where it does not. */
int known_name(const char *text);

/* The index of a name, which is added where it is new. */
int add_name(const char *text);

/* Whether a name is in a directory itself, not below one of its directories. */
int is_in(const char *name, const char *directory);

#endif
