// SPDX-License-Identifier: MIT
#include "ranges.h"

#include <stddef.h>
#include <sys/mman.h>

#include "output.h"

struct ranges ranges;

/* Zeros that take no memory until they are written. */
static void *zeros(uint64_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static bool begin_range(struct range *range)
{
	uint64_t size = range->live.size, pages = size / PAGE;

	range->medium = zeros(size);
	range->dirty = zeros(pages * 8);
	range->pending = zeros(pages * 8);
	range->changed = zeros(pages);
	range->first_pending = zeros(pages * 64 * 4);
	range->last_store = zeros(pages * 64 * 4);
	range->last_write_back = zeros(pages * 64 * 4);
	range->stored_at = zeros(pages * 64 * 8);
	return range->medium && range->dirty && range->pending && range->changed &&
	       range->first_pending && range->last_store && range->last_write_back &&
	       range->stored_at && copy_mapping(&range->live, range->medium, range->changed);
}

bool ranges_begin(void)
{
	for (unsigned int index = 0; index < ranges.count; index++)
		if (!begin_range(&ranges.at[index]))
			return false;
	return true;
}

bool ranges_find(void)
{
	ranges.lowest = UINT64_MAX;
	for (unsigned int index = 0; index < ranges.count; index++) {
		struct range *range = &ranges.at[index];
		uint64_t end = range->start + range->live.size;
		if (!find_mapping(&range->live)) {
			problem("QEMU has not mapped %s, range %u", range->live.file, index);
			return false;
		}
		if (range->start < ranges.lowest)
			ranges.lowest = range->start;
		if (end > ranges.highest)
			ranges.highest = end;
	}
	return true;
}

struct range *range_between(uint64_t physical)
{
	for (unsigned int index = 0; index < ranges.count; index++) {
		struct range *range = &ranges.at[index];
		if (physical - range->start < range->live.size)
			return range;
	}
	return NULL;
}
