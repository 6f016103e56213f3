// SPDX-License-Identifier: MIT
/*
 * What reaches the medium, by the rules of the Intel SDM (docs/power-cut-model.md names volumes
 * and sections): the effect of stores, write-backs, fences and flush requests on dirty lines,
 * write-backs in flight, and the medium. All functions but `model_lock` want the lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ranges.h"
#include "sites.h"

struct counters {
	uint64_t stores, write_backs, fences, requests, untranslated;
};

extern struct counters counters;

void model_lock(void);
void model_unlock(void);

/* @param length up to the end of the range at most */
void model_store(struct range *range, uint64_t offset, uint64_t length, unsigned int cpu,
		 uint64_t address, bool non_temporal);
void model_write_back(struct range *range, uint64_t offset, unsigned int cpu, uint64_t address,
		      enum site_kind kind);
/* @param stores_alone for what drains stores, but is no store-fencing operation */
void model_fence(unsigned int cpu, bool stores_alone);
/* All that was stored to this range. */
void model_flush_range(struct range *range);
