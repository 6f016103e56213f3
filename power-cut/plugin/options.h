// SPDX-License-Identifier: MIT
/* The options after the plugin's file on QEMU's command line (README.md). */
#pragma once

#include "cut.h"
#include "ranges.h"

struct options {
	const char *directory;
	struct ram ram;
	struct cut_options cut;
	bool cut_at_promises;
	uint64_t moments, gap, calls, lost_calls;
	/* Goes to `ranges` (ranges.h). */
	struct range ranges[MOST_RANGES];
	unsigned int range_count;
};

/* @returns what is wrong, or NULL */
const char *parse_options(int argc, char **argv, struct options *to);
