// SPDX-License-Identifier: MIT
#include "unfenced.h"

#include <string.h>

/* How many pages have such a line, so that the search can be skipped. */
static uint64_t unfenced_pages;

static bool has_any(const struct range *range, uint64_t page)
{
	return range->dirty[page] | range->pending[page];
}

void set_line(struct range *range, uint64_t *bits, uint64_t line)
{
	uint64_t page = line / 64;

	if (!has_any(range, page))
		unfenced_pages++;
	bits[page] |= UINT64_C(1) << (line % 64);
}

void clear_line(struct range *range, uint64_t *bits, uint64_t line)
{
	uint64_t page = line / 64;
	bool before = has_any(range, page);

	bits[page] &= ~(UINT64_C(1) << (line % 64));
	if (before && !has_any(range, page))
		unfenced_pages--;
}

bool anything_unfenced(void)
{
	return unfenced_pages != 0;
}

void each_unfenced_of(struct range *range, line_action action, void *data)
{
	uint64_t pages = range->live.size / PAGE;

	for (uint64_t page = 0; page < pages; page++) {
		uint64_t lines = range->dirty[page] | range->pending[page];
		for (; lines; lines &= lines - 1)
			action(range, page * 64 + __builtin_ctzll(lines), data);
	}
}

void each_unfenced(line_action action, void *data)
{
	for (unsigned int index = 0; index < ranges.count; index++)
		each_unfenced_of(&ranges.at[index], action, data);
}

bool is_lost(const struct range *range, uint64_t line)
{
	return memcmp(live_line(range, line), medium_line(range, line), LINE) != 0;
}

bool is_before(const struct range *range, uint64_t line, uint64_t stores)
{
	return range->stored_at[line] != 0 && range->stored_at[line] <= stores;
}

struct count {
	uint64_t stores, lines;
};

static void count_before(struct range *range, uint64_t line, void *data)
{
	struct count *count = data;

	count->lines += is_before(range, line, count->stores) && is_lost(range, line);
}

uint64_t lost_since(uint64_t stores, int64_t number)
{
	struct count count = { .stores = stores };

	if (number < 0)
		each_unfenced(count_before, &count);
	else
		each_unfenced_of(&ranges.at[number], count_before, &count);
	return count.lines;
}
