// SPDX-License-Identifier: MIT
/*
 * A power cut at this moment: its images, the lines that it loses, and the event that names them.
 */
#pragma once

#include <stdint.h>

struct cut_options {
	uint64_t seed, states, most_cuts, most_bytes;
};

enum cut_cause { CUT_PROMISE, CUT_MARKER, CUT_MOMENT, CUT_CALL };

struct cut_moment {
	enum cut_cause cause;
	unsigned int cpu;
	/* The last store, write-back or fence before the cut; 0 if it was something else. */
	uint64_t address;
	/* A JSON string. */
	const char *label;
	/* For write_lost (lost.h). */
	uint64_t since;
};

void cut_options_set(const struct cut_options *options);

/* The caller holds the model's lock. Beyond the limits it only reports the limit, once. */
void take_cut(const struct cut_moment *moment);
