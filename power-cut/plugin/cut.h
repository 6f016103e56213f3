// SPDX-License-Identifier: MIT
/*
 * What survives a power cut at this moment, in files (README.md has their format):
 *
 *   nothing      of what is not on the medium for sure
 *   everything   what the guest reads
 *   random-N     each line that is dirty or on its way in one of the states that it may legally have;
 *                each page, where requests flush
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cut_options {
	uint64_t seed, states, most_cuts, most_bytes;
};

enum cut_cause { CUT_PROMISE, CUT_MARKER, CUT_MOMENT, CUT_CALL };

struct cut_moment {
	enum cut_cause cause;
	unsigned int cpu;
	/* The last store, write-back or fence before it; 0 where it is none of these. */
	uint64_t address;
	/* A JSON string. */
	const char *label;
	/* Of lines that are lost it is told whether their last store came before so many stores; 0: not. */
	uint64_t since;
};

void cut_options_set(const struct cut_options *options);

/* base-N.img for each range: what is on the media now. */
bool write_bases(void);

/*
 * How many lines were stored to before so many stores, and not since, and are not on the medium: of this
 * range, or, where it is less than 0, of all. With the model's lock held.
 */
uint64_t lost_since(uint64_t stores, int64_t range);

/* With the model's lock held. Nothing, beyond the limits, but one event that says so. */
void take_cut(const struct cut_moment *moment);
