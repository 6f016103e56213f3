// SPDX-License-Identifier: MIT
/*
 * Who stored, and who wrote back last, what a power cut loses: a file with a line of JSON for
 * each run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * With the model's lock held; false after a `problem`.
 *
 * @param since for lost lines it is told whether they were last stored to before so many stores;
 * 0: it is not
 */
bool write_lost(const char *name, uint64_t since);
