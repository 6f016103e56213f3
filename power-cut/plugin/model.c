// SPDX-License-Identifier: MIT
#include "model.h"

#include <pthread.h>
#include <string.h>

#include "pending.h"
#include "unfenced.h"

#define ALL_BYTES UINT64_MAX

struct counters counters;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void model_lock(void)
{
	pthread_mutex_lock(&mutex);
}

void model_unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

static void copy_bytes(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
	if (bytes == ALL_BYTES) {
		memcpy(to, from, LINE);
		return;
	}
	for (unsigned int index = 0; index < LINE; index++)
		if (bytes >> index & 1)
			to[index] = from[index];
}

static void change_medium(struct range *range, uint64_t line, const uint8_t *contents,
			  uint64_t bytes)
{
	copy_bytes(medium_line(range, line), contents, bytes);
	range->changed[line / 64] = 1;
}

/* A line's stores are ordered: older contents never replace newer ones on the medium. */
static void settle(const struct pending *done)
{
	struct range *range = &ranges.at[done->range];
	struct pending *other = pending_at(range->first_pending[done->line]);

	change_medium(range, done->line, done->contents, done->bytes);
	for (; other; other = pending_at(other->older))
		if (other->order < done->order)
			other->bytes &= ~done->bytes;
}

/* Bytes whose newest store is a non-temporal one in flight, of any CPU: no cache has them. */
static uint64_t bypassing(const struct range *range, uint64_t line)
{
	const struct pending *one = pending_at(range->first_pending[line]);
	uint64_t bytes = 0;

	for (; one; one = pending_at(one->older))
		if (one->non_temporal)
			bytes |= one->newest;
	return bytes;
}

static void overwrite(const struct range *range, uint64_t line, uint64_t bytes)
{
	struct pending *one = pending_at(range->first_pending[line]);

	for (; one; one = pending_at(one->older))
		one->newest &= ~bytes;
}

/* Joins the store with the previous one if nothing else happened to the line in between. */
static void bypass(struct range *range, uint64_t line, uint64_t bytes, unsigned int cpu)
{
	struct pending *pending = pending_at(range->first_pending[line]);

	if (!pending || !pending->non_temporal || pending->cpu != cpu) {
		pending = pending_add(range, line, cpu);
		pending->non_temporal = true;
	}
	pending->bytes |= bytes;
	pending->newest |= bytes;
	copy_bytes(pending->contents, live_line(range, line), bytes);
}

void model_store(struct range *range, uint64_t offset, uint64_t length, unsigned int cpu,
		 uint64_t address, bool non_temporal)
{
	uint64_t end = offset + length;
	uint32_t site = site_number(address, cpu, non_temporal ? SITE_NON_TEMPORAL : SITE_STORE);

	counters.stores++;
	while (offset < end) {
		uint64_t line = offset / LINE, from = offset % LINE;
		uint64_t count = end - offset < LINE - from ? end - offset : LINE - from;
		uint64_t bytes = (count == LINE ? ALL_BYTES : (UINT64_C(1) << count) - 1) << from;
		if (range->first_pending[line])
			overwrite(range, line, bytes);
		/* In ranges that requests flush, a request flushes everything that was stored. */
		if (non_temporal && range->flush == FLUSH_INSTRUCTIONS)
			bypass(range, line, bytes, cpu);
		else
			set_line(range, range->dirty, line);
		range->last_store[line] = site;
		range->stored_at[line] = counters.stores;
		offset += count;
	}
}

void model_write_back(struct range *range, uint64_t offset, unsigned int cpu, uint64_t address,
		      enum site_kind kind)
{
	uint64_t line = offset / LINE;

	if (range->flush != FLUSH_INSTRUCTIONS)
		return;
	counters.write_backs++;
	range->last_write_back[line] = site_number(address, cpu, kind);
	/*
	 * A line that is in flight from another CPU is written back again, because this CPU does not know
	 * about the other write-back.
	 */
	if (!is_dirty(range, line) && !is_pending(range, line))
		return;
	uint64_t bytes = ALL_BYTES & ~bypassing(range, line);
	struct pending *pending = pending_add(range, line, cpu);
	pending->bytes = bytes;
	memcpy(pending->contents, live_line(range, line), LINE);
	clear_line(range, range->dirty, line);
	if (kind == SITE_CLFLUSH) {
		settle(pending);
		pending_drop_last(cpu);
	}
}

static bool settle_fenced(struct pending *pending, void *data)
{
	const bool *stores_alone = data;

	if (*stores_alone && !pending->non_temporal)
		return false;
	settle(pending);
	return true;
}

void model_fence(unsigned int cpu, bool stores_alone)
{
	if (pending_of_cpu(cpu))
		counters.fences++;
	pending_drain(cpu, settle_fenced, &stores_alone);
}

void model_flush_range(struct range *range)
{
	uint64_t pages = range->live.size / PAGE;
	uint32_t site = site_number(0, 0, SITE_REQUEST);

	counters.requests++;
	for (uint64_t page = 0; page < pages; page++) {
		for (uint64_t lines = range->dirty[page]; lines; lines &= lines - 1) {
			uint64_t line = page * 64 + __builtin_ctzll(lines);
			change_medium(range, line, live_line(range, line), ALL_BYTES);
			range->last_write_back[line] = site;
			clear_line(range, range->dirty, line);
		}
	}
}
