/*
 * The commands that open, change, rename and remove files. Each tells what it changes before it
 * does.
 */
#ifndef FILES_H
#define FILES_H

#include "worker.h"

void new_file(struct worker *worker, const char *name, const char *how);
void use_file(struct worker *worker, const char *name, const char *how);
void write_file(struct worker *worker, long offset, long length, int byte);
void set_size(struct worker *worker, long size);
void allocate(struct worker *worker, long offset, long length);
void punch(struct worker *worker, long offset, long length);
void zero(struct worker *worker, long offset, long length);
void rename_file(const char *from, const char *to);
void unlink_file(const char *name);

/* The open file. */
struct file *current(struct worker *worker);

#endif
