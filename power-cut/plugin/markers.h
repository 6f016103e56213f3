// SPDX-License-Identifier: MIT
/* What a program in the guest says by a marker instruction: its record, and what is done then. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "options.h"

/* Bytes of a record. */
#define MOST_RECORD 4096

extern atomic_bool counting;

/* Whether BEGIN has come and END has not. Without the model's lock this is a hint. */
static inline bool is_counting(void)
{
	return atomic_load_explicit(&counting, memory_order_relaxed);
}

void markers_begin(const struct options *options);

/* What the model has counted, for an event. */
void print_end(const char *name, const char *label);

/* In a callback that may read registers; takes the model's lock. */
void marker(unsigned int cpu, uint8_t kind);
