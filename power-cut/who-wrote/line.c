// SPDX-License-Identifier: MIT
#include "who-wrote.h"

/*
 * The same rules as in ../plugin/model.c, for one byte: a store is on the medium after a write-back of its line and a
 * fence; a non-temporal store, after a fence.
 */
#define LINE 64

static bool dirty, written_back, bypassing;

void medium_stored(bool non_temporal)
{
	if (non_temporal) {
		bypassing = true;
		dirty = false;
	} else {
		dirty = true;
		bypassing = false;
	}
}

bool medium_written_back(uint64_t physical, bool at_once)
{
	if (options.physical == UNKNOWN || physical / LINE != (uint64_t)options.physical / LINE)
		return false;
	if (!dirty)
		return false;
	dirty = false;
	written_back = !at_once;
	return true;
}

bool medium_fenced(bool stores_alone)
{
	bool settled = bypassing || (written_back && !stores_alone);

	bypassing = false;
	if (!stores_alone)
		written_back = false;
	return settled;
}
