// SPDX-License-Identifier: MIT
/*
 * Calls that promise something when they return: what was stored before they began. Of each that
 * returned it is told how many lines that were stored to before are not on the medium. Power is cut
 * after some of them, drawn from a seed: the first ones, and then with gaps that grow; those at which
 * such lines are lost, and the others, each by themselves.
 *
 * All functions want the model's lock held.
 */
#pragma once

#include <stdint.h>

#include "cut.h"

/* @param most cuts of each of both */
void calls_begin(uint64_t seed, uint64_t most);

/* @param number the guest's own for this call */
void call_begins(uint64_t number);
void call_returned(uint64_t number, struct cut_moment *moment);
