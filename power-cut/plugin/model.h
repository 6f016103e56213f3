// SPDX-License-Identifier: MIT
/*
 * Models what reaches the medium, by the rules of the Intel SDM (docs/power-cut-model.md names
 * volumes and sections): the effect of stores, write-backs, fences and flush requests on dirty
 * lines, write-backs in flight, and the medium. The caller of every function but `model_lock`
 * holds the lock.
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

/* @param length must not exceed the end of the range */
void model_store(struct range *range, uint64_t offset, uint64_t length, unsigned int cpu,
		 uint64_t address, bool non_temporal);
void model_write_back(struct range *range, uint64_t offset, unsigned int cpu, uint64_t address,
		      enum site_kind kind);
/* @param stores_alone for instructions that drain stores but are not store-fencing operations */
void model_fence(unsigned int cpu, bool stores_alone);
/* Flushes everything that was stored to this range. */
void model_flush_range(struct range *range);
