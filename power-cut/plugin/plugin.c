// SPDX-License-Identifier: MIT
/*
 * A QEMU plugin that knows, line by line, what of a guest's persistent memory would survive a power
 * cut. See docs/power-cut-model.md.
 *
 * QEMU calls for each store after it was done, and before each instruction that writes back, fences
 * or marks. Each CPU of the guest has a thread.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "decode.h"
#include "markers.h"
#include "moments.h"
#include "options.h"
#include "output.h"
#include "qemu-api.h"
#include "requests.h"

EXPORTED int qemu_plugin_version = API_VERSION;

/* Data of a store's callback is the instruction's address; this bit, the same as the highest one in
 * each canonical address, is the other way round for a non-temporal one. */
#define NON_TEMPORAL_BIT (UINT64_C(1) << 62)

/* Of the registers of an MSR write, ECX; these do not serialize (volume 3,
 * "Serializing Instructions"). */
enum { RCX = 1, MSR_TSC_DEADLINE = 0x6e0, MSR_X2APIC_FIRST = 0x802, MSR_X2APIC_LAST = 0x83f };

/* FXSAVE's area, and XSAVE's of the processor that QEMU's `max` is (its CPUID.0DH says 2696 bytes).
 * What is marked too much has the medium's contents already, and counts for nothing. */
#define SAVE_AREA_ROOM 2696

/* An instruction that has a callback of its own. Kept for good, once for each address. */
struct point {
	struct instruction instruction;
	uint64_t address;
	struct point *next;
};

static struct options options;
/* How much each CPU has on its way: fences of a CPU that has nothing cost no callback. */
static struct qemu_plugin_scoreboard *scoreboard;
static struct point *points[4096];
static pthread_mutex_t points_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct point *point_at(uint64_t address, const struct instruction *instruction)
{
	struct point **bucket = &points[(address ^ address >> 12) % 4096], *point;

	pthread_mutex_lock(&points_mutex);
	for (point = *bucket; point; point = point->next)
		if (point->address == address &&
		    memcmp(&point->instruction, instruction, sizeof(*instruction)) == 0)
			break;
	if (!point) {
		point = malloc(sizeof(*point));
		if (!point)
			abort();
		memcpy(&point->instruction, instruction, sizeof(*instruction));
		point->address = address;
		point->next = *bucket;
		*bucket = point;
	}
	pthread_mutex_unlock(&points_mutex);
	return point;
}

static void show_pending(unsigned int cpu)
{
	*(uint64_t *)qemu_plugin_scoreboard_find(scoreboard, cpu) = pending_of_cpu(cpu);
}

static void cut_at_moment(unsigned int cpu, uint64_t address)
{
	struct cut_moment moment = {
		.cause = CUT_MOMENT, .cpu = cpu, .address = address, .label = "\"\""
	};

	take_cut(&moment);
}

/* One piece within a page, at most up to the range's end. */
static void stored(struct range *range, unsigned int cpu, uint64_t physical, uint64_t length,
		   uint64_t instruction, bool non_temporal)
{
	uint64_t offset = physical - range->start;
	if (length > range->live.size - offset)
		length = range->live.size - offset;
	model_lock();
	if (is_counting()) {
		model_store(range, offset, length, cpu, instruction, non_temporal);
		show_pending(cpu);
		if (moment_after_store())
			cut_at_moment(cpu, instruction);
	}
	model_unlock();
}

/* The range that an address of a store lies in, or NULL. Most stores of a guest end here. */
static struct range *range_at(qemu_plugin_meminfo_t info, uint64_t address, uint64_t *physical)
{
	struct qemu_plugin_hwaddr *found = qemu_plugin_get_hwaddr(info, address);

	if (!found)
		return NULL;
	*physical = qemu_plugin_hwaddr_phys_addr(found);
	struct range *range = range_of(*physical);
	return range && !qemu_plugin_hwaddr_is_io(found) ? range : NULL;
}

/*
 * Whether the memory that is looked at is the guest's: a store must be found in it. Were it another file, or
 * another part of it, nothing would ever be found lost. Others' stores may come in between, now and then.
 * What a store has stored is asked of QEMU for the first of them alone: it takes longer than all the rest.
 */
static void check_memory(struct range *range, uint64_t physical, qemu_plugin_meminfo_t info,
			 uint64_t size)
{
	enum { LOOKS = 32 };

	if (range->checked == LOOKS)
		return;
	uint64_t value = qemu_plugin_mem_get_value(info).data.number;
	if (value << (64 - 8 * size) == 0)
		return;
	model_lock();
	if (is_counting() && range->checked < LOOKS) {
		range->checked++;
		range->agreed +=
			memcmp(range->live.at + (physical - range->start), &value, size) == 0;
		if (range->checked == LOOKS && range->agreed == 0)
			problem("%s is not what the guest has at 0x%" PRIx64, range->live.file,
				range->start);
	}
	model_unlock();
}

static void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
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
	/* Two pages that follow one another need not do so in physical memory. */
	if (size > inside) {
		range = range_at(info, address + inside, &physical);
		if (range)
			stored(range, cpu, physical, size - inside, instruction, non_temporal);
	}
}

static void count_untranslated(void)
{
	model_lock();
	model.counters.untranslated++;
	model_unlock();
}

static void on_write_back(unsigned int cpu, void *data)
{
	const struct point *point = data;
	enum site_kind kind = point->instruction.kind == CLWB      ? SITE_CLWB
			      : point->instruction.kind == CLFLUSH ? SITE_CLFLUSH
								   : SITE_CLFLUSHOPT;
	uint64_t physical;

	if (!is_counting())
		return;
	if (!translate(&options.ram, operand_address(&point->instruction, point->address),
		       &physical)) {
		count_untranslated();
		return;
	}
	struct range *range = range_of(physical);
	if (!range)
		return;
	model_lock();
	if (is_counting()) {
		model_write_back(range, physical - range->start, cpu, point->address, kind);
		show_pending(cpu);
		if (anything_unfenced() && moment_after_store())
			cut_at_moment(cpu, point->address);
	}
	model_unlock();
}

/* Comes before the stores themselves: contents are looked at when the line is written back. */
static void on_save_area(unsigned int cpu, void *data)
{
	const struct point *point = data;
	uint64_t address, end, physical;

	if (!is_counting())
		return;
	address = operand_address(&point->instruction, point->address);
	for (end = address + SAVE_AREA_ROOM; address < end; address += PAGE - address % PAGE) {
		uint64_t inside = PAGE - address % PAGE;
		struct range *range =
			translate(&options.ram, address, &physical) ? range_of(physical) : NULL;
		if (range)
			stored(range, cpu, physical,
			       end - address < inside ? end - address : inside, point->address,
			       false);
	}
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

static void on_fence(unsigned int cpu, void *data)
{
	fenced(cpu, ((struct point *)data)->address, false);
}

static void on_serializing(unsigned int cpu, void *data)
{
	const struct point *point = data;

	if (point->instruction.kind == WRITE_MSR) {
		uint32_t msr = general_register(RCX);
		if (msr == MSR_TSC_DEADLINE || (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST))
			return;
	}
	fenced(cpu, point->address, true);
}

static void on_marker(unsigned int cpu, void *data)
{
	const struct point *point = data;

	marker(cpu, point->instruction.marker);
}

static void instrument(struct qemu_plugin_insn *insn)
{
	qemu_plugin_u64 on_their_way = { .score = scoreboard };
	uint64_t address = qemu_plugin_insn_vaddr(insn), with_kind;
	struct instruction instruction;
	uint8_t bytes[16];

	decode(bytes, qemu_plugin_insn_data(insn, bytes, sizeof(bytes)), &instruction);
	with_kind = instruction.non_temporal ? address ^ NON_TEMPORAL_BIT : address;
	qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W,
					 (void *)with_kind);
	if (instruction.kind == ORDINARY)
		return;
	struct point *point = point_at(address, &instruction);
	switch (instruction.kind) {
	case CLFLUSH:
	case CLFLUSHOPT:
	case CLWB:
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_write_back, QEMU_PLUGIN_CB_R_REGS,
						       point);
		break;
	case SAVE_AREA:
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_save_area, QEMU_PLUGIN_CB_R_REGS,
						       point);
		break;
	case MARKER:
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_PLUGIN_CB_R_REGS,
						       point);
		break;
	case FENCE:
		qemu_plugin_register_vcpu_insn_exec_cond_cb(insn, on_fence, QEMU_PLUGIN_CB_NO_REGS,
							    QEMU_PLUGIN_COND_NE, on_their_way, 0,
							    point);
		break;
	case SERIALIZING:
	case WRITE_MSR:
		qemu_plugin_register_vcpu_insn_exec_cond_cb(insn, on_serializing,
							    QEMU_PLUGIN_CB_R_REGS,
							    QEMU_PLUGIN_COND_NE, on_their_way, 0,
							    point);
		break;
	case ORDINARY:
		break;
	}
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t index = 0; index < count; index++)
		instrument(qemu_plugin_tb_get_insn(tb, index));
}

static void on_cpu(qemu_plugin_id_t id, unsigned int cpu)
{
	(void)id;
	(void)cpu;
	find_registers();
	/* The guest's RAM is there by now. */
	if (!options.ram.mapping.at && !find_mapping(&options.ram.mapping))
		problem("QEMU has not mapped %s, the guest's memory", options.ram.mapping.file);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	model_lock();
	print_end("end", "\"\"");
	model_unlock();
}

static int refuse(const char *why)
{
	fprintf(stderr, "power-cut plugin: %s\n", why);
	return 1;
}

static void print_open(void)
{
	char ranges[MOST_RANGES * 128] = "";
	size_t used = 0;

	for (unsigned int index = 0; index < model.count; index++) {
		const struct range *range = &model.ranges[index];
		used += snprintf(ranges + used, sizeof(ranges) - used,
				 "%s{\"start\":%" PRIu64 ",\"size\":%" PRIu64 ",\"flush\":\"%s\"}",
				 index ? "," : "", range->start, range->live.size,
				 range->flush == FLUSH_REQUESTS ? "requests" : "instructions");
	}
	event("open", "\"version\":1,\"ranges\":[%s],\"seed\":%" PRIu64, ranges, options.cut.seed);
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
				 char **argv)
{
	const char *wrong = parse_options(argc, argv, &options);

	if (wrong)
		return refuse(wrong);
	if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
		return refuse("this is for guests of qemu-system-x86_64");
	if (info->system.max_vcpus > MOST_CPUS)
		return refuse("too many CPUs");
	if (!output_open(options.directory))
		return refuse("the directory of out= is not there, or not empty");
	memcpy(model.ranges, options.ranges, sizeof(options.ranges));
	model.count = options.range_count;
	cut_options_set(&options.cut);
	markers_begin(&options);
	scoreboard = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	print_open();
	watch_requests();
	qemu_plugin_register_vcpu_init_cb(id, on_cpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
