// SPDX-License-Identifier: MIT
#include "cut.h"

#include <inttypes.h>
#include <stdio.h>

#include "images.h"
#include "lost.h"
#include "output.h"
#include "unfenced.h"

static const char *const CAUSES[] = { "promise", "marker", "moment", "call" };

static struct cut_options options;
static uint64_t cuts;
static bool limited;

struct summary {
	uint64_t dirty, pending, lost;
};

void cut_options_set(const struct cut_options *from)
{
	options = *from;
}

static bool within_limits(void)
{
	const char *what = cuts >= options.most_cuts ? "max-cuts" : "max-bytes";

	if (cuts < options.most_cuts && output_bytes() < options.most_bytes)
		return true;
	if (!limited)
		event("limit", "\"what\":\"%s\"", what);
	limited = true;
	return false;
}

static void summarize(struct range *range, uint64_t line, void *data)
{
	struct summary *summary = data;

	summary->dirty += is_dirty(range, line);
	summary->pending += is_pending(range, line);
	summary->lost += is_lost(range, line);
}

/* The name of a file of this cut, valid until the next call. */
static const char *name_of(const char *suffix)
{
	static char name[64];

	snprintf(name, sizeof(name), "cut-%06" PRIu64 ".%s", cuts, suffix);
	return name;
}

/* Writes all but the medium. @param states gets their names, each after a comma */
static bool write_states(uint64_t since, char *states, size_t room)
{
	uint64_t random = options.seed ^ cuts * UINT64_C(0xd1342543de82ef95);
	bool written = write_lost(name_of("lost.jsonl"), since);
	size_t used = snprintf(states, room, ",\"everything\"");

	written = write_everything(name_of("everything")) && written;
	for (uint64_t index = 1; index <= options.states; index++) {
		char state[32];
		snprintf(state, sizeof(state), "random-%" PRIu64, index);
		written = write_random(name_of(state), &random) && written;
		used += snprintf(states + used, room - used, ",\"%s\"", state);
	}
	return written;
}

void take_cut(const struct cut_moment *moment)
{
	struct summary summary = { 0 };
	char states[4096] = "", site[96] = "null";
	bool written;

	if (!within_limits())
		return;
	cuts++;
	each_unfenced(summarize, &summary);
	written = write_medium(name_of("medium"));
	/* A line can equal the medium and still have write-backs in flight. */
	if (summary.dirty || summary.pending)
		written = write_states(moment->since, states, sizeof(states)) && written;
	if (!written)
		return;
	if (moment->address)
		snprintf(site, sizeof(site), "{\"address\":\"0x%" PRIx64 "\",\"kernel\":%s}",
			 moment->address, moment->address >> 63 ? "true" : "false");
	event("cut",
	      "\"cut\":%" PRIu64 ",\"cause\":\"%s\",\"label\":%s,\"cpu\":%u,"
	      "\"states\":[\"nothing\"%s],\"dirty\":%" PRIu64 ",\"pending\":%" PRIu64
	      ",\"lost\":%" PRIu64 ",\"store\":%s",
	      cuts, CAUSES[moment->cause], moment->label, moment->cpu, states, summary.dirty,
	      summary.pending, summary.lost, site);
}
