// SPDX-License-Identifier: MIT
/*
 * Moments for cuts, drawn from a seed: after a store or a write-back, or before a fence, where
 * something is not on the medium. How many there will be is not known beforehand: the gaps
 * between them grow, so that the first ones lie close together and the last ones far into the
 * run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* @param gap how many stores lie between the first two, on average */
void moments_begin(uint64_t seed, uint64_t most, uint64_t gap);

/* Whether a cut belongs here. */
bool moment_after_store(void);
bool moment_before_fence(void);
