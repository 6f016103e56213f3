// SPDX-License-Identifier: MIT
#include "model.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALL_BYTES UINT64_MAX

struct queue {
	uint32_t *numbers;
	uint32_t count, room;
};

struct model model;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Numbers of pending write-backs; 0 is none. */
static struct pending *pool;
static uint32_t pool_room, pool_used = 1, free_list;
static struct queue queues[MOST_CPUS];
static uint64_t orders, unfenced_pages;

void model_lock(void)
{
	pthread_mutex_lock(&mutex);
}

void model_unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

uint64_t lines_of(const struct range *range)
{
	return range->live.size / LINE;
}

/* Zeros that take no memory until they are written. */
static void *zeros(uint64_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static bool begin_range(struct range *range)
{
	uint64_t size = range->live.size, pages = size / PAGE;

	range->medium = zeros(size);
	range->dirty = zeros(pages * 8);
	range->pending = zeros(pages * 8);
	range->changed = zeros(pages);
	range->first_pending = zeros(pages * 64 * 4);
	range->last_store = zeros(pages * 64 * 4);
	range->last_write_back = zeros(pages * 64 * 4);
	range->stored_at = zeros(pages * 64 * 8);
	return range->medium && range->dirty && range->pending && range->changed &&
	       range->first_pending && range->last_store && range->last_write_back &&
	       range->stored_at && copy_mapping(&range->live, range->medium);
}

bool model_begin(void)
{
	for (unsigned int index = 0; index < model.count; index++)
		if (!begin_range(&model.ranges[index]))
			return false;
	return true;
}

struct range *range_between(uint64_t physical)
{
	for (unsigned int index = 0; index < model.count; index++) {
		struct range *range = &model.ranges[index];
		if (physical - range->start < range->live.size)
			return range;
	}
	return NULL;
}

static const uint8_t *live_line(const struct range *range, uint64_t line)
{
	return range->live.at + line * LINE;
}

static uint64_t bit_of(uint64_t line)
{
	return UINT64_C(1) << (line % 64);
}

/* Keeps count of pages that have anything unfenced, so that nobody has to look for one. */
static void set_bit(struct range *range, uint64_t *bits, uint64_t line)
{
	uint64_t page = line / 64;

	if (!(range->dirty[page] | range->pending[page]))
		unfenced_pages++;
	bits[page] |= bit_of(line);
}

static void clear_bit(struct range *range, uint64_t *bits, uint64_t line)
{
	uint64_t page = line / 64, before = range->dirty[page] | range->pending[page];

	bits[page] &= ~bit_of(line);
	if (before && !(range->dirty[page] | range->pending[page]))
		unfenced_pages--;
}

bool anything_unfenced(void)
{
	return unfenced_pages != 0;
}

const struct pending *pending_at(uint32_t number)
{
	return number ? &pool[number] : NULL;
}

uint32_t pending_of_cpu(unsigned int cpu)
{
	return queues[cpu].count;
}

/* More memory than there is ends the process: nothing that was found would be true afterwards. */
static void *grown(void *at, uint32_t *room, size_t each)
{
	*room = *room ? *room * 2 : 1024;
	at = realloc(at, (size_t)*room * each);
	if (!at)
		abort();
	return at;
}

static struct pending *add_pending(struct range *range, uint64_t line, unsigned int cpu)
{
	struct queue *queue = &queues[cpu];
	uint32_t number = free_list;

	if (number)
		free_list = pool[number].older;
	else {
		if (pool_used >= pool_room)
			pool = grown(pool, &pool_room, sizeof(*pool));
		number = pool_used++;
	}
	if (queue->count >= queue->room)
		queue->numbers = grown(queue->numbers, &queue->room, sizeof(*queue->numbers));
	queue->numbers[queue->count++] = number;
	pool[number] = (struct pending){
		.order = ++orders,
		.line = line,
		.older = range->first_pending[line],
		.range = range - model.ranges,
		.cpu = cpu,
	};
	range->first_pending[line] = number;
	set_bit(range, range->pending, line);
	return &pool[number];
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
	copy_bytes(range->medium + line * LINE, contents, bytes);
	range->changed[line / 64] = 1;
}

/* A line's stores are ordered: what is older than what the medium has never replaces it. */
static void settle(struct range *range, const struct pending *done)
{
	uint32_t number = range->first_pending[done->line];

	change_medium(range, done->line, done->contents, done->bytes);
	for (; number; number = pool[number].older)
		if (pool[number].order < done->order)
			pool[number].bytes &= ~done->bytes;
}

static void release(struct range *range, uint32_t number)
{
	uint32_t line = pool[number].line, *link = &range->first_pending[line];

	while (*link != number)
		link = &pool[*link].older;
	*link = pool[number].older;
	if (!range->first_pending[line])
		clear_bit(range, range->pending, line);
	pool[number].older = free_list;
	free_list = number;
}

/* Bytes whose newest store is a non-temporal one on its way, of any CPU: no cache has them. */
static uint64_t bypassing(const struct range *range, uint64_t line)
{
	uint64_t bytes = 0;

	for (uint32_t number = range->first_pending[line]; number; number = pool[number].older)
		if (pool[number].non_temporal)
			bytes |= pool[number].newest;
	return bytes;
}

static void overwrite(const struct range *range, uint64_t line, uint64_t bytes)
{
	for (uint32_t number = range->first_pending[line]; number; number = pool[number].older)
		pool[number].newest &= ~bytes;
}

/* Joined with the one before it, where nothing else happened to the line in between. */
static void bypass(struct range *range, uint64_t line, uint64_t bytes, unsigned int cpu)
{
	uint32_t number = range->first_pending[line];
	struct pending *pending = number ? &pool[number] : NULL;

	if (!pending || !pending->non_temporal || pending->cpu != cpu) {
		pending = add_pending(range, line, cpu);
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

	model.counters.stores++;
	while (offset < end) {
		uint64_t line = offset / LINE, from = offset % LINE;
		uint64_t count = end - offset < LINE - from ? end - offset : LINE - from;
		uint64_t bytes = (count == LINE ? ALL_BYTES : (UINT64_C(1) << count) - 1) << from;
		if (range->first_pending[line])
			overwrite(range, line, bytes);
		/* Where a request flushes, all that was stored is flushed. */
		if (non_temporal && range->flush == FLUSH_INSTRUCTIONS)
			bypass(range, line, bytes, cpu);
		else
			set_bit(range, range->dirty, line);
		range->last_store[line] = site;
		range->stored_at[line] = model.counters.stores;
		offset += count;
	}
}

void model_write_back(struct range *range, uint64_t offset, unsigned int cpu, uint64_t address,
		      enum site_kind kind)
{
	uint64_t line = offset / LINE, page = line / 64;

	if (range->flush != FLUSH_INSTRUCTIONS)
		return;
	model.counters.write_backs++;
	range->last_write_back[line] = site_number(address, cpu, kind);
	/* Of a line on its way from another CPU this one knows nothing: it is written back again. */
	if (!((range->dirty[page] | range->pending[page]) & bit_of(line)))
		return;
	uint64_t bytes = ALL_BYTES & ~bypassing(range, line);
	struct pending *pending = add_pending(range, line, cpu);
	pending->bytes = bytes;
	memcpy(pending->contents, live_line(range, line), LINE);
	clear_bit(range, range->dirty, line);
	if (kind == SITE_CLFLUSH) {
		uint32_t number = range->first_pending[line];
		settle(range, pending);
		release(range, number);
		queues[cpu].count--;
	}
}

void model_fence(unsigned int cpu, bool stores_alone)
{
	struct queue *queue = &queues[cpu];
	uint32_t kept = 0;

	if (queue->count)
		model.counters.fences++;
	for (uint32_t index = 0; index < queue->count; index++) {
		uint32_t number = queue->numbers[index];
		struct range *range = &model.ranges[pool[number].range];
		if (stores_alone && !pool[number].non_temporal) {
			queue->numbers[kept++] = number;
			continue;
		}
		settle(range, &pool[number]);
		release(range, number);
	}
	queue->count = kept;
}

void model_flush_range(struct range *range)
{
	uint64_t pages = range->live.size / PAGE;
	uint32_t site = site_number(0, 0, SITE_REQUEST);

	model.counters.requests++;
	for (uint64_t page = 0; page < pages; page++) {
		for (uint64_t lines = range->dirty[page]; lines; lines &= lines - 1) {
			uint64_t line = page * 64 + __builtin_ctzll(lines);
			change_medium(range, line, live_line(range, line), ALL_BYTES);
			range->last_write_back[line] = site;
			clear_bit(range, range->dirty, line);
		}
	}
}
