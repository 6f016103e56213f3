// SPDX-License-Identifier: MIT
/*
 * Write-backs in flight: a line's contents at the time of a CLWB or CLFLUSHOPT, or the bytes of a
 * non-temporal store. They are sure to be on the medium when the CPU that made them has executed
 * a fence. Each has a number; 0 is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ranges.h"

#define MOST_CPUS 64

struct pending {
	/* The order of all write-backs. */
	uint64_t order;
	/*
	 * Which bytes of the line it has, and for non-temporal stores, which of these were not stored to
	 * since.
	 */
	uint64_t bytes, newest;
	uint32_t line;
	/* The next older one of the same line. */
	uint32_t older;
	uint8_t range, cpu;
	bool non_temporal;
	uint8_t contents[LINE];
};

/* NULL for 0. Valid until one is added. */
struct pending *pending_at(uint32_t number);

/* Adds one without bytes, which becomes the line's first. */
struct pending *pending_add(struct range *range, uint64_t line, unsigned int cpu);

/* Forgets the CPU's last one, which was just added. */
void pending_drop_last(unsigned int cpu);

/* Forgets those of a CPU for which `done` returns true, oldest first. */
void pending_drain(unsigned int cpu, bool (*done)(struct pending *pending, void *data), void *data);

/* How many this CPU has. */
uint32_t pending_of_cpu(unsigned int cpu);
