// SPDX-License-Identifier: MIT
#include "sites.h"

#include <stdbool.h>
#include <stddef.h>

#include "output.h"

#define SLOTS (1u << 18)
#define MOST (SLOTS / 2)

static struct site sites[MOST];
static uint32_t slots[SLOTS], count = 1;

/* Without the site it is unknown how a line may survive (is_by_page in images.c). */
static uint32_t no_room(void)
{
	static bool told;

	if (!told)
		problem("more than %u instructions have stored or written back", MOST - 1);
	told = true;
	return 0;
}

uint32_t site_number(uint64_t address, unsigned int cpu, enum site_kind kind)
{
	uint64_t mixed = (address ^ (uint64_t)cpu << 48 ^ (uint64_t)kind << 40) *
			 UINT64_C(0x9e3779b97f4a7c15);
	uint32_t slot = mixed >> 46;

	for (; slots[slot]; slot = (slot + 1) % SLOTS) {
		const struct site *site = &sites[slots[slot]];
		if (site->address == address && site->cpu == cpu && site->kind == kind)
			return slots[slot];
	}
	if (count == MOST)
		return no_room();
	sites[count] = (struct site){ .address = address, .cpu = cpu, .kind = kind };
	return slots[slot] = count++;
}

const struct site *site_of(uint32_t number)
{
	return number ? &sites[number] : NULL;
}

const char *site_kind_name(enum site_kind kind)
{
	static const char *const NAMES[] = {
		[SITE_STORE] = "store",     [SITE_NON_TEMPORAL] = "non-temporal",
		[SITE_CLFLUSH] = "clflush", [SITE_CLFLUSHOPT] = "clflushopt",
		[SITE_CLWB] = "clwb",       [SITE_REQUEST] = "request",
	};

	return NAMES[kind];
}
