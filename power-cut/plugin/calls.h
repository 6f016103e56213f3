// SPDX-License-Identifier: MIT
/*
 * Sync calls, which promise what was stored before they began. For each call that returned, an
 * event gives the number of lines that were last stored to before it and are not on the medium.
 * The power is cut after each call that lost some, up to a limit, or until the reader makes a
 * file `enough`. It is also cut after some of the others: after the first ones, and then with
 * random gaps that grow.
 *
 * The caller of each function holds the model's lock.
 */
#pragma once

#include <stdint.h>

#include "cut.h"

/* @param kept, lost the most cuts after calls that lost nothing, and after the others */
void calls_begin(uint64_t seed, uint64_t kept, uint64_t lost);

/* @param number the guest's own for this call */
void call_begins(uint64_t number);
/* @param range the number of its range; less than 0 for all ranges */
void call_returned(uint64_t number, int64_t range, struct cut_moment *moment);
