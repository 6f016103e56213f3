/* Which files own the lost parts of the device. */
#ifndef OWNERS_H
#define OWNERS_H

#include <stddef.h>

/* Forgets all lost parts. */
void lost_begin(void);

/*
 * A lost part of the device. They come in the order of their positions, and no more than
 * MOST_LOST (limits.h).
 */
void lost_add(long position, long length);

/* Says what the regular file of this inode owns of the lost parts, whatever its name is. */
void say_inode(unsigned long number, unsigned int generation);

/* Says which regular files below the working directory own lost parts. */
void say_tree(void);

#endif
