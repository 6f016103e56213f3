// SPDX-License-Identifier: MIT
/*
 * A QEMU plugin that tracks, line by line, which of a guest's stores to persistent memory would
 * survive a power cut. See docs/power-cut-model.md, and README.md for its options, marks and
 * files.
 *
 * QEMU calls it after each store, and before each instruction that writes back, fences or is a
 * mark. Each CPU of the guest has a thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "decode.h"
#include "flushes.h"
#include "markers.h"
#include "model.h"
#include "options.h"
#include "output.h"
#include "pending.h"
#include "points.h"
#include "qemu-api.h"
#include "requests.h"
#include "scoreboard.h"
#include "stores.h"

EXPORTED int qemu_plugin_version = API_VERSION;

static struct options options;

static void on_marker(unsigned int cpu, void *data)
{
	const struct point *point = data;

	marker(cpu, point->instruction.marker);
}

static void instrument(struct qemu_plugin_insn *insn)
{
	qemu_plugin_u64 in_flight = { .score = scoreboard };
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	struct instruction instruction;
	uint8_t bytes[16];

	decode(bytes, qemu_plugin_insn_data(insn, bytes, sizeof(bytes)), &instruction);
	qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W,
					 store_data(address, instruction.non_temporal));
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
							    QEMU_PLUGIN_COND_NE, in_flight, 0,
							    point);
		break;
	case SERIALIZING:
	case WRITE_MSR:
		qemu_plugin_register_vcpu_insn_exec_cond_cb(insn, on_serializing,
							    QEMU_PLUGIN_CB_R_REGS,
							    QEMU_PLUGIN_COND_NE, in_flight, 0,
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
	/* By now the guest's RAM is mapped. */
	if (!guest_ram.mapping.at && !find_mapping(&guest_ram.mapping))
		problem("QEMU has not mapped %s, the guest's memory", guest_ram.mapping.file);
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
	char list[MOST_RANGES * 128] = "";
	size_t used = 0;

	for (unsigned int index = 0; index < ranges.count; index++) {
		const struct range *range = &ranges.at[index];
		used += snprintf(list + used, sizeof(list) - used,
				 "%s{\"start\":%" PRIu64 ",\"size\":%" PRIu64 ",\"flush\":\"%s\"}",
				 index ? "," : "", range->start, range->live.size,
				 range->flush == FLUSH_REQUESTS ? "requests" : "instructions");
	}
	event("open", "\"version\":1,\"ranges\":[%s],\"seed\":%" PRIu64, list, options.cut.seed);
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
	memcpy(ranges.at, options.ranges, sizeof(options.ranges));
	ranges.count = options.range_count;
	guest_ram = options.ram;
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
