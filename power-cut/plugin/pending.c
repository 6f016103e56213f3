// SPDX-License-Identifier: MIT
#include "pending.h"

#include <stdlib.h>

#include "unfenced.h"

/* Numbers of a CPU's write-backs in their order. */
struct queue {
	uint32_t *numbers;
	uint32_t count, room;
};

static struct pending *pool;
static uint32_t pool_room, pool_used = 1, free_list;
static struct queue queues[MOST_CPUS];
static uint64_t orders;

struct pending *pending_at(uint32_t number)
{
	return number ? &pool[number] : NULL;
}

uint32_t pending_of_cpu(unsigned int cpu)
{
	return queues[cpu].count;
}

/* Without memory the results would be wrong, so this ends QEMU. */
static void *grown(void *at, uint32_t *room, size_t each)
{
	*room = *room ? *room * 2 : 1024;
	at = realloc(at, (size_t)*room * each);
	if (!at)
		abort();
	return at;
}

static uint32_t new_number(void)
{
	uint32_t number = free_list;

	if (number) {
		free_list = pool[number].older;
		return number;
	}
	if (pool_used >= pool_room)
		pool = grown(pool, &pool_room, sizeof(*pool));
	return pool_used++;
}

struct pending *pending_add(struct range *range, uint64_t line, unsigned int cpu)
{
	struct queue *queue = &queues[cpu];
	uint32_t number = new_number();

	if (queue->count >= queue->room)
		queue->numbers = grown(queue->numbers, &queue->room, sizeof(*queue->numbers));
	queue->numbers[queue->count++] = number;
	pool[number] = (struct pending){
		.order = ++orders,
		.line = line,
		.older = range->first_pending[line],
		.range = range_number(range),
		.cpu = cpu,
	};
	range->first_pending[line] = number;
	set_line(range, range->pending, line);
	return &pool[number];
}

static void release(uint32_t number)
{
	struct pending *pending = &pool[number];
	struct range *range = &ranges.at[pending->range];
	uint32_t *link = &range->first_pending[pending->line];

	while (*link != number)
		link = &pool[*link].older;
	*link = pending->older;
	if (!range->first_pending[pending->line])
		clear_line(range, range->pending, pending->line);
	pending->older = free_list;
	free_list = number;
}

void pending_drop_last(unsigned int cpu)
{
	struct queue *queue = &queues[cpu];

	release(queue->numbers[--queue->count]);
}

void pending_drain(unsigned int cpu, bool (*done)(struct pending *pending, void *data), void *data)
{
	struct queue *queue = &queues[cpu];
	uint32_t kept = 0;

	for (uint32_t index = 0; index < queue->count; index++) {
		uint32_t number = queue->numbers[index];
		if (done(&pool[number], data))
			release(number);
		else
			queue->numbers[kept++] = number;
	}
	queue->count = kept;
}
