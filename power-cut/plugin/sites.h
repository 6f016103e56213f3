// SPDX-License-Identifier: MIT
/* Which instruction, on which CPU, stored or wrote back. A line refers to its site by number. */
#pragma once

#include <stdint.h>

enum site_kind {
	SITE_STORE,
	SITE_NON_TEMPORAL,
	SITE_CLFLUSH,
	SITE_CLFLUSHOPT,
	SITE_CLWB,
	SITE_REQUEST
};

struct site {
	/* The instruction's virtual address; 0 for a request, which the host carries out. */
	uint64_t address;
	uint8_t cpu;
	uint8_t kind;
};

/* 0 is none. Reports a `problem` if the table is full. */
uint32_t site_number(uint64_t address, unsigned int cpu, enum site_kind kind);
const struct site *site_of(uint32_t number);
const char *site_kind_name(enum site_kind kind);
