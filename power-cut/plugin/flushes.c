// SPDX-License-Identifier: MIT
#include "flushes.h"

#include "address.h"
#include "counting.h"
#include "cut.h"
#include "model.h"
#include "moments.h"
#include "pending.h"
#include "points.h"
#include "scoreboard.h"
#include "unfenced.h"

static void cut_at_moment(unsigned int cpu, uint64_t address)
{
	struct cut_moment moment = {
		.cause = CUT_MOMENT, .cpu = cpu, .address = address, .label = "\"\""
	};

	take_cut(&moment);
}

static void count_untranslated(void)
{
	model_lock();
	counters.untranslated++;
	model_unlock();
}

static enum site_kind kind_of(const struct instruction *instruction)
{
	switch (instruction->kind) {
	case CLWB:
		return SITE_CLWB;
	case CLFLUSH:
		return SITE_CLFLUSH;
	default:
		return SITE_CLFLUSHOPT;
	}
}

void on_write_back(unsigned int cpu, void *data)
{
	const struct point *point = data;
	uint64_t physical;

	if (!is_counting())
		return;
	if (!translate(operand_address(&point->instruction, point->address), &physical)) {
		count_untranslated();
		return;
	}
	struct range *range = range_of(physical);
	if (!range)
		return;
	model_lock();
	if (is_counting()) {
		model_write_back(range, physical - range->start, cpu, point->address,
				 kind_of(&point->instruction));
		show_pending(cpu);
		if (anything_unfenced() && moment_after_store())
			cut_at_moment(cpu, point->address);
	}
	model_unlock();
}

static void fenced(unsigned int cpu, uint64_t address, bool stores_alone)
{
	model_lock();
	if (is_counting() && pending_of_cpu(cpu)) {
		if (moment_before_fence())
			cut_at_moment(cpu, address);
		model_fence(cpu, stores_alone);
	}
	show_pending(cpu);
	model_unlock();
}

void on_fence(unsigned int cpu, void *data)
{
	fenced(cpu, ((struct point *)data)->address, false);
}

void on_serializing(unsigned int cpu, void *data)
{
	const struct point *point = data;

	if (!serializes(&point->instruction))
		return;
	fenced(cpu, point->address, true);
}
