// SPDX-License-Identifier: MIT
/*
 * Which code last stored, and last wrote back, the lines that a power cut loses: a file with a
 * line of JSON for each run of lines.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The caller holds the model's lock. Returns false after a `problem`.
 *
 * @param since for lost lines, the file says whether their last store came before this many
 * stores; 0: it does not say
 */
bool write_lost(const char *name, uint64_t since);
