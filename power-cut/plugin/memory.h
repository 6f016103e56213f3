// SPDX-License-Identifier: MIT
/*
 * Where the guest's memory is in this very process. It is files that QEMU has mapped, shared or
 * privately: what is read here is what the guest has, either way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE 64u
#define PAGE 4096u

struct mapping {
	const uint8_t *at;
	/* The file and where in it the mapping begins. */
	const char *file;
	uint64_t offset, size;
};

/* What the guest's RAM is: all of `file`, the first `low` bytes from address 0, the rest from 4 GiB. */
struct ram {
	struct mapping mapping;
	uint64_t low;
};

/* Finds `mapping->file` from `mapping->offset` on, `mapping->size` bytes (0: to its end). */
bool find_mapping(struct mapping *mapping);

/* NULL where there is no RAM at this physical address. */
const uint8_t *ram_at(const struct ram *ram, uint64_t physical);

/* Copies what is not zeros: pages that neither QEMU nor the file has anything for are not touched. */
bool copy_mapping(const struct mapping *mapping, uint8_t *to);
