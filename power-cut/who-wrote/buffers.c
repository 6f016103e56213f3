// SPDX-License-Identifier: MIT
#include <string.h>

#include "../plugin/address.h"
#include "who-wrote.h"

/*
 * Buffers of the block in the page cache: the kernel's struct buffer_head. One is found when its block number is
 * stored. It counts only as long as its fields say so and its page has it, which is checked at each store to its
 * data: a buffer that was freed keeps its fields, and its page gets other contents.
 */
#define MOST 64
/* Buffers of a page: they form a ring, and the page points to one of them. */
#define MOST_OF_PAGE 64

struct buffer {
	uint64_t at, data, physical;
};

static struct buffer buffers[MOST];
static unsigned int count;

static bool read_number(uint64_t address, uint64_t *to)
{
	return read_guest(address, to, sizeof(*to));
}

static bool is_kernel(uint64_t address)
{
	return address >> 47 == (UINT64_C(1) << 17) - 1;
}

static bool holds_block(uint64_t buffer, uint64_t *data)
{
	uint64_t block, size;

	return read_number(buffer + options.bh_block, &block) &&
	       read_number(buffer + options.bh_size, &size) &&
	       read_number(buffer + options.bh_data, data) && block == (uint64_t)options.block &&
	       size == (uint64_t)options.unit && is_kernel(*data) && *data % options.unit == 0;
}

static bool is_of_page(uint64_t buffer)
{
	uint64_t page, mapping, private, other = buffer;

	if (!read_number(buffer + options.bh_page, &page) ||
	    !read_number(page + options.page_mapping, &mapping) ||
	    !read_number(page + options.page_private, &private) || !is_kernel(mapping))
		return false;
	for (unsigned int index = 0; index < MOST_OF_PAGE; index++) {
		if (other == private)
			return true;
		if (!read_number(other + options.bh_next, &other) || other == buffer)
			return false;
	}
	return false;
}

void look_for_buffer(uint64_t address, uint64_t value)
{
	uint64_t at = address - options.bh_block, data, physical;

	if (options.block == UNKNOWN || value != (uint64_t)options.block || !is_kernel(address))
		return;
	if (!holds_block(at, &data) || !translate(data + options.byte, &physical))
		return;
	for (unsigned int index = 0; index < count; index++)
		if (buffers[index].at == at) {
			buffers[index] = (struct buffer){ at, data, physical };
			return;
		}
	if (count == MOST) {
		memmove(buffers, buffers + 1, sizeof(*buffers) * (MOST - 1));
		count--;
	}
	buffers[count++] = (struct buffer){ at, data, physical };
}

static void name_disk(uint64_t buffer, struct slot *slot)
{
	uint64_t device, disk;

	slot->buffer = buffer;
	if (read_number(buffer + options.bh_device, &device) &&
	    read_number(device + options.device_disk, &disk))
		read_guest(disk + options.disk_name, slot->disk, NAME_ROOM);
}

bool in_buffer(uint64_t physical, uint64_t length, struct slot *slot)
{
	for (unsigned int index = 0; index < count; index++) {
		const struct buffer *buffer = &buffers[index];
		uint64_t data;
		if (buffer->physical - physical >= length)
			continue;
		if (!holds_block(buffer->at, &data) || data != buffer->data ||
		    !is_of_page(buffer->at))
			continue;
		name_disk(buffer->at, slot);
		return true;
	}
	return false;
}
