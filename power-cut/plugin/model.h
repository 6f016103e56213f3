// SPDX-License-Identifier: MIT
/*
 * What has reached the medium, by the rules of the Intel SDM (volumes and sections in
 * docs/power-cut-model.md). Of each line of 64 bytes there are
 *
 *   the live contents     what the guest reads: its memory itself
 *   the medium's          what is there after a power cut, whatever happens
 *   pending write-backs   contents on their way: of the time of a CLWB or CLFLUSHOPT, or bytes of a
 *                         non-temporal store; on the medium for sure when the CPU that made them has
 *                         executed a fence
 *
 * A line is dirty where it was stored to since its last write-back.
 *
 * All functions but `model_lock` want the lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "sites.h"

#define MOST_RANGES 8
#define MOST_CPUS 64

/* By what stores to a range reach its medium. */
enum flush { FLUSH_INSTRUCTIONS, FLUSH_REQUESTS };

struct pending {
	/* Order of all pending write-backs. */
	uint64_t order;
	/* Bytes of the line that it has, and of these, for non-temporal stores, those not stored to since. */
	uint64_t bytes, newest;
	uint32_t line;
	/* Of the same line, newest first. */
	uint32_t older;
	uint8_t range, cpu;
	bool non_temporal;
	uint8_t contents[LINE];
};

struct range {
	uint64_t start;
	enum flush flush;
	struct mapping live;
	/* Of the first stores of something: looked at, and found in `live`. */
	uint8_t checked, agreed;
	uint8_t *medium;
	/* For each page a bit for each of its 64 lines. */
	uint64_t *dirty, *pending;
	/* For each page, whether the medium's was written since `changed` was last cleared. */
	uint8_t *changed;
	/* For each line. */
	uint32_t *first_pending, *last_store, *last_write_back;
	/* For each line, what `counters.stores` was at the last store to it; 0: there was none. */
	uint64_t *stored_at;
};

struct counters {
	uint64_t stores, write_backs, fences, requests, untranslated;
};

struct model {
	struct range ranges[MOST_RANGES];
	unsigned int count;
	/* All lie in between. */
	uint64_t lowest, highest;
	struct counters counters;
};

extern struct model model;

void model_lock(void);
void model_unlock(void);

/* From now on: what memory holds is on the medium. false where memory is short or cannot be read. */
bool model_begin(void);

/* Of an address between `lowest` and `highest`. */
struct range *range_between(uint64_t physical);

/* NULL where this is no pmem. Needs no lock. Asked at each store of the guest. */
static inline struct range *range_of(uint64_t physical)
{
	if (physical < model.lowest || physical >= model.highest)
		return 0;
	return range_between(physical);
}

/* @param length up to the end of the range at most */
void model_store(struct range *range, uint64_t offset, uint64_t length, unsigned int cpu,
		 uint64_t address, bool non_temporal);
void model_write_back(struct range *range, uint64_t offset, unsigned int cpu, uint64_t address,
		      enum site_kind kind);
/* @param stores_alone what drains stores, but is no store-fencing operation */
void model_fence(unsigned int cpu, bool stores_alone);
/* All that was stored to this range. */
void model_flush_range(struct range *range);

/* How many write-backs this CPU has on their way. */
uint32_t pending_of_cpu(unsigned int cpu);
/* Whether anything is dirty or on its way. */
bool anything_unfenced(void);

const struct pending *pending_at(uint32_t number);
uint64_t lines_of(const struct range *range);
