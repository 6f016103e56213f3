// SPDX-License-Identifier: MIT
#include "markers.h"

#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "calls.h"
#include "counting.h"
#include "images.h"
#include "model.h"
#include "moments.h"
#include "output.h"
#include "requests.h"
#include "stores.h"

enum { RCX = 1, RDX = 2, RSI = 6, RDI = 7 };

static const struct options *options;
static bool begun;

void markers_begin(const struct options *from)
{
	options = from;
}

/* The guest's text as a JSON string, cut off where its memory is not mapped. */
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
		if (translate(at + got, &physical))
			from = ram_at(physical);
		if (!from)
			break;
		memcpy(text + got, from, count);
		got += count;
	}
	escape(text, got, escaped);
}

/*
 * Stores by other CPUs wait for the lock in the meantime, and they count: memory is copied after
 * that.
 */
static bool begin_counting(void)
{
	counting = true;
	if (ranges_begin() && write_bases())
		return true;
	counting = false;
	problem("cannot copy what the persistent memory holds");
	return false;
}

static void begin(const char *label)
{
	if (begun) {
		problem("the guest began a second time: stores after its end are not watched");
		return;
	}
	begun = true;
	if (!ranges_find() || !begin_counting())
		return;
	moments_begin(options->cut.seed, options->moments, options->gap);
	calls_begin(options->cut.seed, options->calls, options->lost_calls);
	event("begin", "\"label\":%s,\"requests\":%" PRIu64, label, requests_seen());
}

static void end(const char *label)
{
	counting = false;
	check_memory_at_end();
	print_end("stop", label);
}

void print_end(const char *name, const char *label)
{
	event(name,
	      "\"label\":%s,\"counters\":{\"stores\":%" PRIu64 ",\"writeBacks\":%" PRIu64
	      ",\"fences\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"untranslated\":%" PRIu64 "}",
	      label, counters.stores, counters.write_backs, counters.fences, counters.requests,
	      counters.untranslated);
}

static void promise(struct cut_moment *moment)
{
	event("promise", "\"cpu\":%u,\"text\":%s", moment->cpu, moment->label);
	moment->cause = CUT_PROMISE;
	if (options->cut_at_promises)
		take_cut(moment);
}

static void cut(struct cut_moment *moment)
{
	moment->cause = CUT_MARKER;
	take_cut(moment);
}

void marker(unsigned int cpu, uint8_t kind)
{
	uint64_t number = general_register(RDX);
	char text[6 * MOST_RECORD + 3];
	struct cut_moment moment = { .cpu = cpu, .label = text };

	read_record(text);
	model_lock();
	if (kind == MARK_BEGIN)
		begin(text);
	else if (counting && kind == MARK_PROMISE)
		promise(&moment);
	else if (counting && kind == MARK_CUT)
		cut(&moment);
	else if (counting && kind == MARK_CALL)
		call_begins(number);
	else if (counting && kind == MARK_RETURN)
		call_returned(number, (int64_t)general_register(RCX), &moment);
	else if (counting && kind == MARK_END)
		end(text);
	model_unlock();
}
