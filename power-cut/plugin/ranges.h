// SPDX-License-Identifier: MIT
/*
 * The persistent ranges of the guest's memory. For each line of 64 bytes there are
 *
 *   the live contents     what the guest reads: its memory itself
 *   the medium's contents what survives a power cut in every case
 *
 * and what is known about the line. The caller of everything but `range_of` holds the model's
 * lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define MOST_RANGES 8

/* What brings stores to a range's medium. */
enum flush { FLUSH_INSTRUCTIONS, FLUSH_REQUESTS };

struct range {
	uint64_t start;
	enum flush flush;
	struct mapping live;
	/* Of the first nonzero stores: how many were looked for in `live`, and how many were found. */
	uint8_t checked, agreed;
	uint8_t *medium;
	/* For each page, one bit for each of its 64 lines. */
	uint64_t *dirty, *pending;
	/* For each page, whether the medium's was written since `changed` was last cleared. */
	uint8_t *changed;
	/* For each line: numbers of write-backs in flight (pending.h) and of sites (sites.h). */
	uint32_t *first_pending, *last_store, *last_write_back;
	/* For each line, the value of `counters.stores` at its last store; 0 if there was none. */
	uint64_t *stored_at;
};

struct ranges {
	struct range at[MOST_RANGES];
	unsigned int count;
	/* All ranges lie between these. */
	uint64_t lowest, highest;
};

extern struct ranges ranges;

/*
 * Finds the memory of all ranges in this process. Returns false, after a `problem`, if QEMU has
 * not mapped it.
 */
bool ranges_find(void);

/*
 * Declares the current contents of memory to be on the medium. Returns false if memory is short
 * or cannot be read.
 */
bool ranges_begin(void);

/* For an address between `lowest` and `highest`. */
struct range *range_between(uint64_t physical);

/* NULL for an address that is not persistent. Needs no lock. Called at each store of the guest. */
static inline struct range *range_of(uint64_t physical)
{
	if (physical < ranges.lowest || physical >= ranges.highest)
		return 0;
	return range_between(physical);
}

static inline unsigned int range_number(const struct range *range)
{
	return range - ranges.at;
}

static inline const uint8_t *live_line(const struct range *range, uint64_t line)
{
	return range->live.at + line * LINE;
}

static inline uint8_t *medium_line(const struct range *range, uint64_t line)
{
	return range->medium + line * LINE;
}
