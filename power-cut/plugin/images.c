// SPDX-License-Identifier: MIT
#include "images.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "pending.h"
#include "random.h"
#include "sites.h"
#include "unfenced.h"

/* The most write-backs in flight of one line that are told apart, the newest ones. */
#define MOST_PENDING 64

bool write_bases(void)
{
	bool written = true;

	for (unsigned int index = 0; index < ranges.count; index++) {
		struct range *range = &ranges.at[index];
		char name[64];
		snprintf(name, sizeof(name), "base-%u.img", index);
		struct file *file = file_begin(name);
		for (uint64_t page = 0; page < range->live.size / PAGE; page++) {
			if (!range->changed[page])
				continue;
			file_place(file, range->medium + page * PAGE, PAGE, page * PAGE);
			range->changed[page] = 0;
		}
		file_size(file, range->live.size);
		written = file_end(file) && written;
	}
	return written;
}

bool write_medium(const char *name)
{
	struct file *file = delta_begin(name);

	for (unsigned int index = 0; index < ranges.count; index++) {
		struct range *range = &ranges.at[index];
		for (uint64_t page = 0; page < range->live.size / PAGE; page++) {
			if (!range->changed[page])
				continue;
			delta_add(file, index, page * PAGE, range->medium + page * PAGE, PAGE);
			range->changed[page] = 0;
		}
	}
	return delta_end(file);
}

struct state {
	struct file *file;
	uint64_t *random;
	/* For what survives by pages: the page that was last drawn for, and the number drawn. */
	const struct range *range;
	uint64_t page, drawn;
};

static void add_if_other(struct file *file, const struct range *range, uint64_t line,
			 const uint8_t *contents)
{
	if (memcmp(contents, medium_line(range, line), LINE) != 0)
		delta_add(file, range_number(range), line * LINE, contents, LINE);
}

static void add_live(struct range *range, uint64_t line, void *data)
{
	const struct state *state = data;

	add_if_other(state->file, range, line, live_line(range, line));
}

static void overlay(uint8_t *contents, const struct pending *pending)
{
	for (unsigned int index = 0; index < LINE; index++)
		if (pending->bytes >> index & 1)
			contents[index] = pending->contents[index];
}

/*
 * Whether all lines of a page survive together, or none. Behind virtio-pmem the host writes a
 * file's pages. What the kernel stores past the caches is blocks, and file systems rely on each
 * block being written completely or not at all, for example a superblock with its checksum.
 * Persistent memory does not promise that, and no flush can.
 */
static bool is_by_page(const struct range *range, uint64_t line)
{
	const struct site *store = site_of(range->last_store[line]);

	return range->flush == FLUSH_REQUESTS ||
	       (store && store->kind == SITE_NON_TEMPORAL && store->address >> 63);
}

static uint64_t draw_for(struct state *state, const struct range *range, uint64_t line)
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
 * Adds the medium's contents with some of the write-backs in flight. In their order, the line had
 * these contents.
 */
static void add_some_pending(const struct state *state, const struct range *range, uint64_t line)
{
	const struct pending *chain[MOST_PENDING];
	const struct pending *one = pending_at(range->first_pending[line]);
	uint8_t contents[LINE];
	unsigned int count = 0;

	memcpy(contents, medium_line(range, line), LINE);
	for (; one && count < MOST_PENDING; one = pending_at(one->older))
		chain[count++] = one;
	while (count-- > 0)
		if (random_next(state->random) & 1)
			overlay(contents, chain[count]);
	add_if_other(state->file, range, line, contents);
}

/*
 * Chooses with equal chances: as the guest reads it, as the medium has it, or with some of the
 * write-backs in flight. For what survives by pages only the first two are possible.
 */
static void add_random(struct range *range, uint64_t line, void *data)
{
	struct state *state = data;
	uint64_t drawn = draw_for(state, range, line);

	if (drawn % 3 == 0)
		add_live(range, line, data);
	else if (drawn % 3 == 2 && !is_by_page(range, line))
		add_some_pending(state, range, line);
}

static bool write_state(const char *name, line_action action, uint64_t *random)
{
	struct state state = { .file = delta_begin(name), .random = random };

	each_unfenced(action, &state);
	return delta_end(state.file);
}

bool write_everything(const char *name)
{
	return write_state(name, add_live, NULL);
}

bool write_random(const char *name, uint64_t *random)
{
	return write_state(name, add_random, random);
}
