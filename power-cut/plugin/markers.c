// SPDX-License-Identifier: MIT
#include "markers.h"

#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "calls.h"
#include "moments.h"
#include "output.h"
#include "requests.h"

enum { RCX = 1, RDX = 2, RSI = 6, RDI = 7 };

static const struct options *options;
atomic_bool counting;
static bool begun;

void markers_begin(const struct options *from)
{
	options = from;
}

/* What the guest gave, as a JSON string; cut short where its memory is not there. */
static void read_record(char *escaped)
{
	uint8_t text[MOST_RECORD];
	uint64_t at = general_register(RDI), length = general_register(RSI), got = 0;

	if (length > MOST_RECORD)
		length = MOST_RECORD;
	while (got < length) {
		uint64_t physical, count = PAGE - (at + got) % PAGE;
		const uint8_t *from = NULL;
		if (count > length - got)
			count = length - got;
		if (translate(&options->ram, at + got, &physical))
			from = ram_at(&options->ram, physical);
		if (!from)
			break;
		memcpy(text + got, from, count);
		got += count;
	}
	escape(text, got, escaped);
}

static bool find_memory(void)
{
	model.lowest = UINT64_MAX;
	for (unsigned int index = 0; index < model.count; index++) {
		struct range *range = &model.ranges[index];
		if (!find_mapping(&range->live)) {
			problem("QEMU has not mapped %s, range %u", range->live.file, index);
			return false;
		}
		if (range->start < model.lowest)
			model.lowest = range->start;
		if (range->start + range->live.size > model.highest)
			model.highest = range->start + range->live.size;
	}
	return true;
}

static void begin(const char *label)
{
	if (begun)
		return;
	begun = true;
	if (!find_memory())
		return;
	/* Before memory is copied: what other CPUs store meanwhile waits for the lock, and counts. */
	counting = true;
	if (!model_begin()) {
		counting = false;
		problem("cannot copy what the pmem holds");
		return;
	}
	if (!write_bases()) {
		counting = false;
		return;
	}
	moments_begin(options->cut.seed, options->moments, options->gap);
	calls_begin(options->cut.seed, options->calls, options->lost_calls);
	event("begin", "\"label\":%s,\"requests\":%" PRIu64, label, requests_seen());
}

void print_end(const char *name, const char *label)
{
	const struct counters *counters = &model.counters;

	event(name,
	      "\"label\":%s,\"counters\":{\"stores\":%" PRIu64 ",\"writeBacks\":%" PRIu64
	      ",\"fences\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"untranslated\":%" PRIu64 "}",
	      label, counters->stores, counters->write_backs, counters->fences, counters->requests,
	      counters->untranslated);
}

void marker(unsigned int cpu, uint8_t kind)
{
	uint64_t number = general_register(RDX);
	char text[6 * MOST_RECORD + 3];
	struct cut_moment moment = { .cpu = cpu, .label = text };

	read_record(text);
	model_lock();
	if (kind == MARK_BEGIN) {
		begin(text);
	} else if (counting && kind == MARK_PROMISE) {
		event("promise", "\"cpu\":%u,\"text\":%s", cpu, text);
		moment.cause = CUT_PROMISE;
		if (options->cut_at_promises)
			take_cut(&moment);
	} else if (counting && kind == MARK_CUT) {
		moment.cause = CUT_MARKER;
		take_cut(&moment);
	} else if (counting && kind == MARK_CALL) {
		call_begins(number);
	} else if (counting && kind == MARK_RETURN) {
		call_returned(number, (int64_t)general_register(RCX), &moment);
	} else if (counting && kind == MARK_END) {
		counting = false;
		print_end("stop", text);
	}
	model_unlock();
}
