// SPDX-License-Identifier: MIT
#include "moments.h"

#include "random.h"

/* Fences are much rarer than stores: a gap has this many times fewer of them. */
#define STORES_PER_FENCE 32

static uint64_t random_state, left, mean, until_store, until_fence;

/* 1 to twice the mean. */
static uint64_t draw(uint64_t around)
{
	return 1 + random_next(&random_state) % (around ? 2 * around : 1);
}

static void draw_both(void)
{
	until_store = draw(mean);
	until_fence = draw(mean / STORES_PER_FENCE);
}

void moments_begin(uint64_t seed, uint64_t most, uint64_t gap)
{
	random_state = ~seed;
	left = most;
	mean = gap;
	draw_both();
}

static bool due(uint64_t *until)
{
	if (left == 0 || --*until > 0)
		return false;
	left--;
	mean += mean / 8;
	draw_both();
	return true;
}

bool moment_after_store(void)
{
	return due(&until_store);
}

bool moment_before_fence(void)
{
	return due(&until_fence);
}
