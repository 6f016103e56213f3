// SPDX-License-Identifier: MIT
/*
 * Chooses random moments for cuts from a seed: after a store or a write-back, or before a fence,
 * while something is not on the medium. Their final number is unknown at the beginning, so the
 * gaps between them grow: the first ones lie close together, and the last ones far into the run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* @param gap the average number of stores between the first two */
void moments_begin(uint64_t seed, uint64_t most, uint64_t gap);

/* Whether to cut here. */
bool moment_after_store(void);
bool moment_before_fence(void);
