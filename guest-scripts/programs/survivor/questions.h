/*
 * The questions to an image, one a line:
 *
 *     name a                 a path on it
 *     data 0 4096 17         of that file: offset, length, and the byte that all should be
 *     lost 1048576 4096      for the questions that follow: a lost part of the device
 *     inode 12 0             the regular file of that number and generation, whatever its name is
 *     tree                   all regular files that own any of the lost parts
 *
 * The answers, in the same order:
 *
 *     name absent | file SIZE | other | unreadable ERRNO
 *     data same | short SIZE | differs FIRST LAST COUNT BYTE POSITION | unreadable ERRNO
 *     file NUMBER SIZE BLOCKS LINKS [PATH]
 *                            and `held OFFSET POSITION LENGTH` for each lost part in the file's
 *                            written blocks; `done` after the last file
 *     end
 *
 * FIRST and LAST are offsets in the file, COUNT is the number of bytes that differ, BYTE is the
 * one at FIRST, and POSITION is where that is on the device, or -1. BLOCKS have 512 bytes. In
 * PATH, everything but plain ASCII is %XX.
 */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include "answers.h"

/*
 * Answers the questions about the working directory, at most MOST_QUESTIONS bytes (limits.h).
 * Writes to `questions`.
 */
enum answered answer(char *questions);

#endif
