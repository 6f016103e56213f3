// SPDX-License-Identifier: MIT
/*
 * Calls that promise something when they return: what was stored before they began. Of each that
 * returned it is told how many lines that were stored to before are not on the medium. Power is cut
 * after each at which there are such lines, up to a limit, or until whoever reads this makes a file
 * `enough`; and after some of the others, drawn from a seed: the first ones, and then with gaps that grow.
 *
 * All functions want the model's lock held.
 */
#pragma once

#include <stdint.h>

#include "cut.h"

/* @param kept, lost so many cuts at most where nothing is lost, and where something is */
void calls_begin(uint64_t seed, uint64_t kept, uint64_t lost);

/* @param number the guest's own for this call */
void call_begins(uint64_t number);
/* @param range the device's that it was on; less than 0: all */
void call_returned(uint64_t number, int64_t range, struct cut_moment *moment);
