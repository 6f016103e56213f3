// SPDX-License-Identifier: MIT
/*
 * Whether the guest has executed the mark to begin and not yet the one to end: stores count only
 * between the two.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_bool counting;

/* Without the model's lock this is a hint. */
static inline bool is_counting(void)
{
	return atomic_load_explicit(&counting, memory_order_relaxed);
}
