// SPDX-License-Identifier: MIT
#include "cut.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "output.h"
#include "random.h"

/* Of one line at most so many write-backs on their way are told apart. */
#define MOST_PENDING 64

struct summary {
	uint64_t dirty, pending, lost;
};

static struct cut_options options;
static uint64_t cuts;
static bool limited;

typedef void (*line_action)(struct range *range, uint64_t line, void *data);

static const uint8_t *live_of(const struct range *range, uint64_t line)
{
	return range->live.at + line * LINE;
}

static const uint8_t *medium_of(const struct range *range, uint64_t line)
{
	return range->medium + line * LINE;
}

static bool is_lost(const struct range *range, uint64_t line)
{
	return memcmp(live_of(range, line), medium_of(range, line), LINE) != 0;
}

static bool has_bit(const uint64_t *bits, uint64_t line)
{
	return bits[line / 64] >> (line % 64) & 1;
}

/* Lines of a range that are dirty or on their way, in the order of their addresses. */
static void each_line_of(struct range *range, line_action action, void *data)
{
	uint64_t pages = range->live.size / PAGE;

	for (uint64_t page = 0; page < pages; page++) {
		uint64_t lines = range->dirty[page] | range->pending[page];
		for (; lines; lines &= lines - 1)
			action(range, page * 64 + __builtin_ctzll(lines), data);
	}
}

static void each_line(line_action action, void *data)
{
	for (unsigned int index = 0; index < model.count; index++)
		each_line_of(&model.ranges[index], action, data);
}

void cut_options_set(const struct cut_options *from)
{
	options = *from;
}

bool write_bases(void)
{
	static const uint8_t zeros[PAGE];
	bool written = true;

	for (unsigned int index = 0; index < model.count; index++) {
		struct range *range = &model.ranges[index];
		char name[64];
		snprintf(name, sizeof(name), "base-%u.img", index);
		struct file *file = file_begin(name);
		for (uint64_t at = 0; at < range->live.size; at += PAGE)
			if (memcmp(range->medium + at, zeros, PAGE) != 0)
				file_place(file, range->medium + at, PAGE, at);
		file_size(file, range->live.size);
		written = file_end(file) && written;
	}
	return written;
}

static bool write_medium(const char *name)
{
	struct file *file = delta_begin(name);

	for (unsigned int index = 0; index < model.count; index++) {
		struct range *range = &model.ranges[index];
		uint64_t pages = range->live.size / PAGE;
		for (uint64_t page = 0; page < pages; page++) {
			if (!range->changed[page])
				continue;
			delta_add(file, index, page * PAGE, range->medium + page * PAGE, PAGE);
			range->changed[page] = 0;
		}
	}
	return delta_end(file);
}

static void summarize(struct range *range, uint64_t line, void *data)
{
	struct summary *summary = data;

	summary->dirty += has_bit(range->dirty, line);
	summary->pending += has_bit(range->pending, line);
	summary->lost += is_lost(range, line);
}

static bool is_before(const struct range *range, uint64_t line, uint64_t stores)
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

uint64_t lost_since(uint64_t stores, int64_t range)
{
	struct count count = { .stores = stores };

	if (range < 0)
		each_line(count_before, &count);
	else if (range < model.count)
		each_line_of(&model.ranges[range], count_before, &count);
	return count.lines;
}

struct state {
	struct file *file;
	uint64_t *random;
	/* Of what survives by pages: the page that was drawn for last, and what. */
	const struct range *range;
	uint64_t page, drawn;
};

static void add_if_other(struct file *file, const struct range *range, uint64_t line,
			 const uint8_t *contents)
{
	if (memcmp(contents, medium_of(range, line), LINE) != 0)
		delta_add(file, range - model.ranges, line * LINE, contents, LINE);
}

static void add_live(struct range *range, uint64_t line, void *data)
{
	const struct state *state = data;

	add_if_other(state->file, range, line, live_of(range, line));
}

static void overlay(uint8_t *contents, const struct pending *pending)
{
	for (unsigned int index = 0; index < LINE; index++)
		if (pending->bytes >> index & 1)
			contents[index] = pending->contents[index];
}

/*
 * Of these pages all lines survive, or none. Behind virtio-pmem the host writes a file's pages. And what the
 * kernel writes past the caches is blocks: file systems count on one of theirs being written whole or not at
 * all, a superblock with its checksum say. Persistent memory does not promise that, and no flush can.
 */
static bool is_by_page(const struct range *range, uint64_t line)
{
	const struct site *store = site_of(range->last_store[line]);

	return range->flush == FLUSH_REQUESTS ||
	       (store && store->kind == SITE_NON_TEMPORAL && store->address >> 63);
}

static uint64_t draw(struct state *state, const struct range *range, uint64_t line)
{
	uint64_t page = line * LINE / PAGE;

	if (!is_by_page(range, line))
		return random_next(state->random);
	if (state->range != range || state->page != page) {
		state->range = range;
		state->page = page;
		state->drawn = random_next(state->random);
	}
	return state->drawn;
}

/*
 * With equal chances as the guest reads it, as the medium has it, or with some of the write-backs on
 * their way, each or not, in their order: that is the order in which the line had these contents. What
 * survives by pages is one of the first two.
 */
static void add_random(struct range *range, uint64_t line, void *data)
{
	struct state *state = data;
	uint64_t drawn = draw(state, range, line);
	const struct pending *chain[MOST_PENDING];
	uint8_t contents[LINE];
	unsigned int count = 0;

	if (drawn % 3 == 0) {
		add_live(range, line, data);
		return;
	}
	if (drawn % 3 == 1 || is_by_page(range, line))
		return;
	memcpy(contents, medium_of(range, line), LINE);
	for (uint32_t number = range->first_pending[line]; number && count < MOST_PENDING;
	     number = pending_at(number)->older)
		chain[count++] = pending_at(number);
	while (count-- > 0)
		if (random_next(state->random) & 1)
			overlay(contents, chain[count]);
	add_if_other(state->file, range, line, contents);
}

static bool write_state(const char *name, line_action action, uint64_t *random)
{
	struct state state = { .file = delta_begin(name), .random = random };

	each_line(action, &state);
	return delta_end(state.file);
}

/* Lines one after the other of which the same is to be said. */
struct run {
	struct file *file;
	struct range *range;
	uint64_t line, lines;
	uint32_t store, write_back;
	bool dirty, pending, before;
	uint64_t since;
};

static void print_site(struct file *file, const char *name, uint32_t number)
{
	const struct site *site = site_of(number);

	if (!site) {
		file_print(file, ",\"%s\":null", name);
		return;
	}
	file_print(file,
		   ",\"%s\":{\"address\":\"0x%" PRIx64
		   "\",\"kernel\":%s,\"cpu\":%u,\"kind\":\"%s\"}",
		   name, site->address, site->address >> 63 ? "true" : "false", site->cpu,
		   site_kind_name(site->kind));
}

static void end_run(struct run *run)
{
	if (run->lines == 0)
		return;
	file_print(run->file,
		   "{\"range\":%u,\"offset\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"state\":\"%s\"",
		   (unsigned int)(run->range - model.ranges), run->line * LINE, run->lines,
		   !run->pending ? "dirty"
		   : run->dirty  ? "both"
				 : "pending");
	print_site(run->file, "store", run->store);
	print_site(run->file, "writeBack", run->write_back);
	file_print(run->file, "%s}\n", run->before ? ",\"before\":true" : "");
	run->lines = 0;
}

static void add_lost(struct range *range, uint64_t line, void *data)
{
	struct run *run = data, this = {
		.file = run->file,
		.range = range,
		.line = line,
		.lines = 1,
		.store = range->last_store[line],
		.write_back = range->last_write_back[line],
		.dirty = has_bit(range->dirty, line),
		.pending = has_bit(range->pending, line),
		.before = run->since && is_before(range, line, run->since),
		.since = run->since,
	};

	if (!is_lost(range, line))
		return;
	if (run->lines && run->range == range && run->line + run->lines == line &&
	    run->store == this.store && run->write_back == this.write_back &&
	    run->dirty == this.dirty && run->pending == this.pending &&
	    run->before == this.before) {
		run->lines++;
		return;
	}
	end_run(run);
	*run = this;
}

static bool write_lost(const char *name, uint64_t since)
{
	struct run run = { .file = file_begin(name), .since = since };

	each_line(add_lost, &run);
	end_run(&run);
	return file_end(run.file);
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

static const char *const CAUSES[] = { "promise", "marker", "moment", "call" };

void take_cut(const struct cut_moment *moment)
{
	struct summary summary = { 0 };
	char name[64], states[4096] = "\"nothing\"", site[96] = "null";
	bool written;

	if (!within_limits())
		return;
	cuts++;
	uint64_t random = options.seed ^ cuts * UINT64_C(0xd1342543de82ef95);
	each_line(summarize, &summary);
	snprintf(name, sizeof(name), "cut-%06" PRIu64 ".medium", cuts);
	written = write_medium(name);
	/* Write-backs can be on their way in a line that is back to what the medium has. */
	if (summary.dirty || summary.pending) {
		size_t used = snprintf(states, sizeof(states), "\"nothing\",\"everything\"");
		snprintf(name, sizeof(name), "cut-%06" PRIu64 ".lost.jsonl", cuts);
		written = write_lost(name, moment->since) && written;
		snprintf(name, sizeof(name), "cut-%06" PRIu64 ".everything", cuts);
		written = write_state(name, add_live, NULL) && written;
		for (uint64_t index = 1; index <= options.states; index++) {
			snprintf(name, sizeof(name), "cut-%06" PRIu64 ".random-%" PRIu64, cuts,
				 index);
			written = write_state(name, add_random, &random) && written;
			used += snprintf(states + used, sizeof(states) - used,
					 ",\"random-%" PRIu64 "\"", index);
		}
	}
	if (!written)
		return;
	if (moment->address)
		snprintf(site, sizeof(site), "{\"address\":\"0x%" PRIx64 "\",\"kernel\":%s}",
			 moment->address, moment->address >> 63 ? "true" : "false");
	event("cut",
	      "\"cut\":%" PRIu64
	      ",\"cause\":\"%s\",\"label\":%s,\"cpu\":%u,\"states\":[%s],\"dirty\":%" PRIu64
	      ",\"pending\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"store\":%s",
	      cuts, CAUSES[moment->cause], moment->label, moment->cpu, states, summary.dirty,
	      summary.pending, summary.lost, site);
}
