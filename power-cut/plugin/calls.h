// SPDX-License-Identifier: MIT
/*
 * Sync calls, which promise what was stored before they began. For each that returned, the number
 * of lines is told that were last stored to before it and are not on the medium. Power is cut
 * after each call that lost some, up to a limit, or until the reader makes a file `enough`; and
 * after some of the others, drawn from a seed: after the first ones, and then with gaps that
 * grow.
 *
 * All functions want the model's lock held.
 */
#pragma once

#include <stdint.h>

#include "cut.h"

/* @param kept, lost how many cuts at most after calls that lost nothing, and after the others */
void calls_begin(uint64_t seed, uint64_t kept, uint64_t lost);

/* @param number the guest's own for this call */
void call_begins(uint64_t number);
/* @param range the number of its range; less than 0: all ranges */
void call_returned(uint64_t number, int64_t range, struct cut_moment *moment);
