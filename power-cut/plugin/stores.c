// SPDX-License-Identifier: MIT
#include "stores.h"

#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "counting.h"
#include "cut.h"
#include "model.h"
#include "moments.h"
#include "output.h"
#include "points.h"
#include "scoreboard.h"

/*
 * A store's callback gets the instruction's address. In a canonical address this bit equals the
 * highest one; for a non-temporal store it is inverted.
 */
#define NON_TEMPORAL_BIT (UINT64_C(1) << 62)

/*
 * The size of FXSAVE's area, and of XSAVE's on the processor of QEMU's `max` (its CPUID.0DH gives
 * 2696 bytes). Lines that are marked needlessly equal the medium already and do not count.
 */
#define SAVE_AREA_ROOM 2696

/* This many stores to a range are looked for in the memory behind it. */
#define CHECKS 32

void *store_data(uint64_t address, bool non_temporal)
{
	return (void *)(non_temporal ? address ^ NON_TEMPORAL_BIT : address);
}

/* One piece within a page, at most to the end of the range. */
static void stored(struct range *range, unsigned int cpu, uint64_t physical, uint64_t length,
		   uint64_t instruction, bool non_temporal)
{
	struct cut_moment moment = {
		.cause = CUT_MOMENT, .cpu = cpu, .address = instruction, .label = "\"\""
	};
	uint64_t offset = physical - range->start;

	if (length > range->live.size - offset)
		length = range->live.size - offset;
	model_lock();
	if (is_counting()) {
		model_store(range, offset, length, cpu, instruction, non_temporal);
		show_pending(cpu);
		if (moment_after_store())
			take_cut(&moment);
	}
	model_unlock();
}

/* The range that contains a store's address, or NULL. Most stores of a guest end here. */
static struct range *range_at(qemu_plugin_meminfo_t info, uint64_t address, uint64_t *physical)
{
	struct qemu_plugin_hwaddr *found = qemu_plugin_get_hwaddr(info, address);

	if (!found)
		return NULL;
	*physical = qemu_plugin_hwaddr_phys_addr(found);
	struct range *range = range_of(*physical);
	return range && !qemu_plugin_hwaddr_is_io(found) ? range : NULL;
}

static void tell_if_wrong(const struct range *range)
{
	if (range->checked && range->agreed == 0)
		problem("%s is not what the guest has at 0x%" PRIx64, range->live.file,
			range->start);
}

/*
 * Checks that the memory that the plugin reads is the guest's: a store must be found in it. If
 * the plugin read another file, or another part of it, it would never find anything lost. Now and
 * then another CPU stores in between. Only the first stores are checked, because asking QEMU for
 * the stored value takes longer than everything else.
 */
static void check_memory(struct range *range, uint64_t physical, qemu_plugin_meminfo_t info,
			 uint64_t size)
{
	if (range->checked == CHECKS)
		return;
	uint64_t value = qemu_plugin_mem_get_value(info).data.number;
	/* Zeros can be found anywhere. */
	if (value << (64 - 8 * size) == 0)
		return;
	model_lock();
	if (is_counting() && range->checked < CHECKS) {
		const uint8_t *at = range->live.at + (physical - range->start);
		range->checked++;
		range->agreed += memcmp(at, &value, size) == 0;
		if (range->checked == CHECKS)
			tell_if_wrong(range);
	}
	model_unlock();
}

void check_memory_at_end(void)
{
	for (unsigned int index = 0; index < ranges.count; index++)
		if (ranges.at[index].checked < CHECKS)
			tell_if_wrong(&ranges.at[index]);
}

void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	uint64_t instruction = (uint64_t)data, physical;
	uint64_t size = UINT64_C(1) << qemu_plugin_mem_size_shift(info);
	uint64_t inside = PAGE - address % PAGE;
	struct range *range;

	if (!is_counting())
		return;
	bool non_temporal = (instruction >> 62 & 1) != instruction >> 63;
	if (non_temporal)
		instruction ^= NON_TEMPORAL_BIT;
	range = range_at(info, address, &physical);
	if (range) {
		stored(range, cpu, physical, size < inside ? size : inside, instruction,
		       non_temporal);
		if (size <= 8 && size <= inside)
			check_memory(range, physical, info, size);
	}
	/* Two adjacent pages may be apart in physical memory. */
	if (size > inside) {
		range = range_at(info, address + inside, &physical);
		if (range)
			stored(range, cpu, physical, size - inside, instruction, non_temporal);
	}
}

/*
 * The contents are read when the line is written back or the power is cut, since they may not be
 * stored yet.
 */
void on_save_area(unsigned int cpu, void *data)
{
	const struct point *point = data;
	uint64_t address, end, physical;

	if (!is_counting())
		return;
	address = operand_address(&point->instruction, point->address);
	for (end = address + SAVE_AREA_ROOM; address < end; address += PAGE - address % PAGE) {
		uint64_t inside = PAGE - address % PAGE;
		struct range *range = translate(address, &physical) ? range_of(physical) : NULL;
		if (range)
			stored(range, cpu, physical,
			       end - address < inside ? end - address : inside, point->address,
			       false);
	}
}
