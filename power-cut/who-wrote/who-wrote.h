// SPDX-License-Identifier: MIT
/* What the parts of the plugin share: what is watched, and the form of its files. README.md describes both. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The value of an option that was not given. */
#define UNKNOWN INT64_MIN

struct options {
	const char *directory;
	/* Stores are compared with `byte` modulo `unit`, a power of two up to the size of a page. */
	int64_t unit, byte;
	/* The watched byte's virtual address in the kernel, or its physical address. */
	int64_t virtual_address, physical;
	/* The block that buffers of the kernel hold; the byte is its byte number `byte`. */
	int64_t block;
	/* Offsets in struct buffer_head, page, block_device and gendisk. */
	int64_t bh_block, bh_size, bh_data, bh_device, bh_next, bh_page;
	int64_t page_private, page_mapping, device_disk, disk_name;
	/* The address that GS must be added to for the current task, and offsets in task_struct. */
	int64_t current, task_comm, task_pid, task_tgid;
	/* The same for the run queue's clock. */
	int64_t clock;
	/* Where the kernel begins to handle page faults. */
	int64_t fault;
};

extern struct options options;

enum kind { STORE_MEMORY = 1, STORE_MEDIUM, WRITE_BACK, ON_MEDIUM };

#define NAME_ROOM 32
#define COMM_ROOM 16
#define STACK_ROOM 16384
#define STACK_AT 512
#define SLOT (STACK_AT + STACK_ROOM)
/* Slots of one file. The oldest ones are overwritten. */
#define SLOTS 512

/* The head of a slot. All numbers are little-endian. */
struct slot {
	uint64_t number;
	uint32_t kind, stack_length;
	uint64_t instructions, console;
	uint64_t code, address, physical, size, value[2];
	uint32_t non_temporal, cpu;
	/* rsp, rbp, r10, r13, rdi, rdx */
	uint64_t registers[6];
	uint64_t task;
	char comm[COMM_ROOM];
	int32_t pid, tgid;
	uint64_t clock;
	uint64_t buffer;
	char disk[NAME_ROOM];
};

/* Reads the guest's memory by the current page tables. Returns false if it is not mapped. */
bool read_guest(uint64_t address, void *to, uint64_t length);

/* Completes a slot from the CPU's state, and keeps it. For callbacks that may read registers. */
void keep_slot(struct slot *slot);
/* Writes how many instructions were executed and slots were kept. */
void keep_end(uint64_t instructions);
bool files_open(const char *directory);

/* Looks at a store of the kernel for a buffer of the block. */
void look_for_buffer(uint64_t address, uint64_t value);
/* Whether a buffer of the block has its data at this physical address; fills in the slot. */
bool in_buffer(uint64_t physical, uint64_t length, struct slot *slot);

/* The watched byte's line on the medium. Each returns whether something happened that is worth a slot. */
void medium_stored(bool non_temporal);
bool medium_written_back(uint64_t physical, bool at_once);
bool medium_fenced(bool stores_alone);
