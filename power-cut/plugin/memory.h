// SPDX-License-Identifier: MIT
/*
 * Finds the guest's memory in this process. QEMU has mapped files for it, shared or privately. In
 * both cases reading the mapping gives the guest's contents.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE 64u
#define PAGE 4096u

struct mapping {
	const uint8_t *at;
	/* The file, and the mapping's offset in it. */
	const char *file;
	uint64_t offset, size;
};

/* The guest's RAM: all of `file`, the first `low` bytes from address 0, the rest from 4 GiB. */
struct ram {
	struct mapping mapping;
	uint64_t low;
};

/* Finds `mapping->file` from `mapping->offset` on, `mapping->size` bytes (0: to its end). */
bool find_mapping(struct mapping *mapping);

extern struct ram guest_ram;

/* NULL if there is no RAM at this physical address. */
const uint8_t *ram_at(uint64_t physical);

/*
 * Copies everything that is not zero. Pages for which neither QEMU nor the file has data are not
 * touched.
 *
 * @param copied is set to 1 for each page that was copied
 */
bool copy_mapping(const struct mapping *mapping, uint8_t *to, uint8_t *copied);
