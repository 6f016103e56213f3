/* The commands that map files, and store and flush through the mapping. */
#ifndef MAPPINGS_H
#define MAPPINGS_H

#include "worker.h"

void map(struct worker *worker, long offset, long length, const char *how);
void store(struct worker *worker, long offset, long length, int byte);

/* By the program alone; a promise with MAP_SYNC (mmap(2)). */
void flush(struct worker *worker, long offset, long length);

/* Where a part of the file is mapped. */
char *mapped(struct worker *worker, long offset, long length);

#endif
