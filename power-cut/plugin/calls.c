// SPDX-License-Identifier: MIT
#include "calls.h"

#include <inttypes.h>

#include "model.h"
#include "output.h"
#include "random.h"

/* Calls are numbered as they begin: one is forgotten when so many others have begun. */
#define SLOTS 4096
/* Cuts before gaps grow. */
#define FIRST 8

struct under_way {
	uint64_t number, stores;
};

struct draw {
	uint64_t random, left, taken, gap, until;
};

static struct under_way slots[SLOTS];
static struct draw kept, unkept;

void calls_begin(uint64_t seed, uint64_t most)
{
	kept = (struct draw){.random = seed ^ UINT64_C(0x6b657074), .left = most};
	unkept = (struct draw){.random = seed ^ UINT64_C(0x6c6f7374), .left = most};
}

/* Gaps are 1 to twice their mean, which grows by a quarter each time. */
static bool due(struct draw *draw)
{
	if (draw->left == 0)
		return false;
	if (draw->taken >= FIRST) {
		if (draw->until > 1) {
			draw->until--;
			return false;
		}
		draw->gap += draw->gap / 4 + 1;
		draw->until = 1 + random_next(&draw->random) % (2 * draw->gap);
	}
	draw->left--;
	draw->taken++;
	return true;
}

void call_begins(uint64_t number)
{
	slots[number % SLOTS] = (struct under_way){.number = number, .stores = model.counters.stores};
}

void call_returned(uint64_t number, struct cut_moment *moment)
{
	const struct under_way *begun = &slots[number % SLOTS];
	bool known = begun->number == number;
	uint64_t lost = known ? lost_since(begun->stores) : 0;

	event("return", "\"cpu\":%u,\"text\":%s,\"known\":%s,\"lost\":%" PRIu64, moment->cpu, moment->label,
	      known ? "true" : "false", lost);
	if (!known || !due(lost ? &unkept : &kept))
		return;
	moment->cause = CUT_CALL;
	moment->since = begun->stores;
	take_cut(moment);
}
