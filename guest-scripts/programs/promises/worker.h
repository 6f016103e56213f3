/* What a thread of the script works on. */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>

#include "tables.h"

struct worker {
	/* -1: any. */
	int cpu;
	/* Its commands. */
	char **lines;
	int count;
	pthread_t thread;
	/*
	 * The open file: its number, a descriptor (-1: none is open), and the name by which it
	 * was opened.
	 */
	int file;
	int descriptor;
	char name[LONGEST_NAME];
	/* What is mapped of it. */
	char *mapping;
	long mapped_from, mapped_length;
	int map_sync;
};

#endif
