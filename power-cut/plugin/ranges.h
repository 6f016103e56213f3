// SPDX-License-Identifier: MIT
/*
 * The pieces of guest memory that are persistent. For each line of 64 bytes there are
 *
 *   the live contents   what the guest reads: its memory itself
 *   the medium's        what is there after a power cut, whatever happens
 *
 * and what is known about the line. Everything but `range_of` wants the model's lock held.
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
	/* Of the first stores of something: how many were looked for in `live`, and found. */
	uint8_t checked, agreed;
	uint8_t *medium;
	/* For each page a bit for each of its 64 lines. */
	uint64_t *dirty, *pending;
	/* For each page, whether the medium's was written since `changed` was last cleared. */
	uint8_t *changed;
	/* For each line: numbers of write-backs in flight (pending.h) and of sites (sites.h). */
	uint32_t *first_pending, *last_store, *last_write_back;
	/* For each line, what `counters.stores` was at the last store to it; 0: there was none. */
	uint64_t *stored_at;
};

struct ranges {
	struct range at[MOST_RANGES];
	unsigned int count;
	/* All lie in between. */
	uint64_t lowest, highest;
};

extern struct ranges ranges;

/*
 * Finds the memory of all ranges in this process. false, after a `problem`, where QEMU has not
 * mapped it.
 */
bool ranges_find(void);

/*
 * From now on: what memory holds is on the medium. false where memory is short or cannot be read.
 */
bool ranges_begin(void);

/* Of an address between `lowest` and `highest`. */
struct range *range_between(uint64_t physical);

/* NULL for an address that is not persistent. Needs no lock. Asked at each store of the guest. */
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
