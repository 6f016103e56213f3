/* The commands that synchronise. Each tells what is promised when its call has returned. */
#ifndef SYNCS_H
#define SYNCS_H

#include "worker.h"

/* From here on it counts. What came before is told as one promise, that of sync(2). */
void begin(void);

void sync_file(struct worker *worker, int data_only);
void sync_mapping(struct worker *worker, long offset, long length);
void sync_all(void);
void sync_directory(const char *name);

#endif
