// SPDX-License-Identifier: MIT
#include "calls.h"

#include <inttypes.h>

#include "model.h"
#include "output.h"
#include "random.h"
#include "unfenced.h"

/*
 * Calls are numbered as they begin. The table forgets a call when this many others have begun;
 * what it promised is unknown then.
 */
#define SLOTS 4096
/* Cuts before the gaps grow. */
#define FIRST 8

struct under_way {
	uint64_t number, stores;
};

static struct under_way slots[SLOTS];
/* For calls that lost nothing. */
static struct {
	uint64_t random, left, taken, gap, until;
} kept_calls;
static uint64_t lost_left;

void calls_begin(uint64_t seed, uint64_t kept, uint64_t lost)
{
	kept_calls.random = seed ^ UINT64_C(0x6b657074);
	kept_calls.left = kept;
	lost_left = lost;
}

/* Gaps are 1 to twice their mean, which grows by a quarter each time. */
static bool is_drawn(void)
{
	if (kept_calls.left == 0)
		return false;
	if (kept_calls.taken >= FIRST) {
		if (kept_calls.until > 1) {
			kept_calls.until--;
			return false;
		}
		kept_calls.gap += kept_calls.gap / 4 + 1;
		kept_calls.until = 1 + random_next(&kept_calls.random) % (2 * kept_calls.gap);
	}
	kept_calls.left--;
	kept_calls.taken++;
	return true;
}

static bool is_wanted(void)
{
	if (lost_left > 0 && file_exists("enough"))
		lost_left = 0;
	if (lost_left == 0)
		return false;
	lost_left--;
	return true;
}

void call_begins(uint64_t number)
{
	slots[number % SLOTS] = (struct under_way){ .number = number, .stores = counters.stores };
}

void call_returned(uint64_t number, int64_t range, struct cut_moment *moment)
{
	const struct under_way *begun = &slots[number % SLOTS];
	bool known = begun->number == number && range < (int64_t)ranges.count;
	uint64_t lost = known ? lost_since(begun->stores, range) : 0;

	event("return", "\"cpu\":%u,\"text\":%s,\"known\":%s,\"lost\":%" PRIu64, moment->cpu,
	      moment->label, known ? "true" : "false", lost);
	if (!known || !(lost ? is_wanted() : is_drawn()))
		return;
	moment->cause = CUT_CALL;
	moment->since = begun->stores;
	take_cut(moment);
}
