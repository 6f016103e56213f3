// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../plugin/address.h"
#include "../plugin/qemu-api.h"
#include "who-wrote.h"

/* Where slots go, each into a file of its own kind: what happens to memory must not push out the other. */
static int memory_file, medium_file, end_file;
static uint64_t memory_count, medium_count;

/* In the order of their encoding: rsp, rbp, r10, r13, rdi, rdx. ORC refers to these. */
static const int REGISTERS[] = { 4, 5, 10, 13, 7, 2 };

static int make_file(const char *directory, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

bool files_open(const char *directory)
{
	memory_file = make_file(directory, "memory");
	medium_file = make_file(directory, "medium");
	end_file = make_file(directory, "end");
	return memory_file >= 0 && medium_file >= 0 && end_file >= 0;
}

bool read_guest(uint64_t address, void *to, uint64_t length)
{
	static GByteArray *buffer;

	if (!buffer)
		buffer = g_byte_array_new();
	if (!qemu_plugin_read_memory_vaddr(address, buffer, length) || buffer->len < length)
		return false;
	memcpy(to, buffer->data, length);
	return true;
}

static void name_task(uint64_t base, struct slot *slot)
{
	if (options.current == UNKNOWN || !read_guest(options.current + base, &slot->task, 8))
		return;
	if (!read_guest(slot->task + options.task_comm, slot->comm, COMM_ROOM) ||
	    !read_guest(slot->task + options.task_pid, &slot->pid, 4) ||
	    !read_guest(slot->task + options.task_tgid, &slot->tgid, 4))
		slot->task = 0;
}

/* The kernel's stacks are as long as they are aligned, or shorter. What is not mapped is not copied. */
static uint32_t copy_stack(uint64_t from, uint8_t *to)
{
	uint64_t end = (from | (STACK_ROOM - 1)) + 1, at = from;

	while (at < end) {
		uint64_t length = PAGE - at % PAGE;
		if (!read_guest(at, to + (at - from), length))
			break;
		at += length;
	}
	return at - from;
}

static void append(int file, uint64_t *count, const struct slot *slot, const uint8_t *stack)
{
	off_t at = (off_t)(*count % SLOTS) * SLOT;

	if (pwrite(file, slot, sizeof(*slot), at) != sizeof(*slot) ||
	    pwrite(file, stack, STACK_ROOM, at + STACK_AT) != STACK_ROOM) {
		fprintf(stderr, "who-wrote plugin: cannot write what it saw\n");
		exit(1);
	}
	++*count;
}

void keep_slot(struct slot *slot)
{
	static uint8_t stack[STACK_ROOM];
	static uint64_t number;
	bool in_kernel = slot->code >> 63;
	uint64_t base = gs_base(in_kernel);

	_Static_assert(sizeof(struct slot) <= STACK_AT, "the stack begins after the head");
	memset(stack, 0, sizeof(stack));
	for (unsigned int index = 0; index < 6; index++)
		slot->registers[index] = general_register(REGISTERS[index]);
	name_task(base, slot);
	if (options.clock != UNKNOWN)
		read_guest(options.clock + base, &slot->clock, 8);
	slot->stack_length = in_kernel ? copy_stack(slot->registers[0], stack) : 0;
	slot->number = ++number;
	if (slot->kind == STORE_MEMORY)
		append(memory_file, &memory_count, slot, stack);
	else
		append(medium_file, &medium_count, slot, stack);
}

void keep_end(uint64_t instructions)
{
	const uint64_t numbers[] = { instructions, memory_count, medium_count };

	if (write(end_file, numbers, sizeof(numbers)) != sizeof(numbers))
		fprintf(stderr, "who-wrote plugin: cannot write what it saw\n");
}
