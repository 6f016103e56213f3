// SPDX-License-Identifier: MIT
/*
 * A QEMU plugin that reports the stores to one byte of a guest's memory, with the stack of each, and whether the
 * byte then reached the medium. README.md has its options and files. It shares sources with the power-cut plugin.
 * For machines with one CPU.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../plugin/address.h"
#include "../plugin/decode.h"
#include "../plugin/points.h"
#include "../plugin/qemu-api.h"
#include "who-wrote.h"

EXPORTED int qemu_plugin_version = API_VERSION;

struct options options;

static qemu_plugin_u64 executed;
/* Instructions that faulted. They were counted, and are executed again. */
static uint64_t faulted;
static uint64_t console_bytes;
static bool divisor_latch;

/* The first serial port of a PC (8250): its data, and the register whose highest bit selects the divisor. */
enum { CONSOLE_DATA = 0x3f8, CONSOLE_LINE_CONTROL = 0x3fb };
enum { RAX = 0, RDX = 2 };

static uint64_t instructions(void)
{
	return *(uint64_t *)qemu_plugin_scoreboard_find(executed.score, 0) - faulted;
}

static struct slot new_slot(enum kind kind, uint64_t code)
{
	return (struct slot){
		.kind = kind,
		.code = code,
		.instructions = instructions(),
		.console = console_bytes,
	};
}

static bool covers(uint64_t begin, uint64_t length, int64_t byte)
{
	return byte != UNKNOWN && (uint64_t)byte - begin < length;
}

static void stored(const struct point *point, qemu_plugin_meminfo_t info, uint64_t address,
		   uint64_t size)
{
	struct slot slot = new_slot(STORE_MEMORY, point->address);
	uint64_t physical = 0;
	struct qemu_plugin_hwaddr *found = qemu_plugin_get_hwaddr(info, address);
	qemu_plugin_mem_value value = qemu_plugin_mem_get_value(info);

	if (found && !qemu_plugin_hwaddr_is_io(found))
		physical = qemu_plugin_hwaddr_phys_addr(found);
	slot.address = address;
	slot.physical = physical;
	slot.size = size;
	slot.non_temporal = point->instruction.non_temporal;
	slot.value[0] = size == 16 ? value.data.pair.low : value.data.number;
	slot.value[1] = size == 16 ? value.data.pair.high : 0;
	if (physical && covers(physical, size, options.physical)) {
		slot.kind = STORE_MEDIUM;
		medium_stored(slot.non_temporal);
		keep_slot(&slot);
	} else if ((point->address >> 63 && covers(address, size, options.virtual_address)) ||
		   (physical && options.block != UNKNOWN && in_buffer(physical, size, &slot))) {
		keep_slot(&slot);
	}
}

static void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	const struct point *point = data;
	uint64_t size = UINT64_C(1) << qemu_plugin_mem_size_shift(info);

	(void)cpu;
	if (size == 8 && options.block != UNKNOWN)
		look_for_buffer(address, qemu_plugin_mem_get_value(info).data.number);
	/* Most stores end here. One that crosses a page's end is two for the translation. */
	if (((options.byte - address) & (options.unit - 1)) >= size)
		return;
	stored(point, info, address, size);
}

static void on_write_back(unsigned int cpu, void *data)
{
	const struct point *point = data;
	uint64_t physical;

	(void)cpu;
	if (!translate(operand_address(&point->instruction, point->address), &physical))
		return;
	bool at_once = point->instruction.kind == CLFLUSH;
	if (!medium_written_back(physical, at_once))
		return;
	struct slot slot = new_slot(WRITE_BACK, point->address);
	keep_slot(&slot);
	if (at_once) {
		slot.kind = ON_MEDIUM;
		keep_slot(&slot);
	}
}

static void fenced(const struct point *point, bool stores_alone)
{
	if (medium_fenced(stores_alone)) {
		struct slot slot = new_slot(ON_MEDIUM, point->address);
		keep_slot(&slot);
	}
}

static void on_fence(unsigned int cpu, void *data)
{
	(void)cpu;
	fenced(data, false);
}

static void on_serializing(unsigned int cpu, void *data)
{
	const struct point *point = data;

	(void)cpu;
	if (serializes(&point->instruction))
		fenced(point, true);
}

static void on_out(unsigned int cpu, void *data)
{
	uint16_t port = general_register(RDX);
	uint8_t value = general_register(RAX);

	(void)cpu;
	(void)data;
	if (port == CONSOLE_LINE_CONTROL)
		divisor_latch = value >> 7;
	else if (port == CONSOLE_DATA && !divisor_latch)
		console_bytes++;
}

/* The CPU has pushed the error code. A fault of fetching an instruction comes before it is counted. */
static void on_fault(unsigned int cpu, void *data)
{
	enum { RSP = 4, FETCH = 1 << 4 };
	uint64_t code;

	(void)cpu;
	(void)data;
	if (read_guest(general_register(RSP), &code, sizeof(code)) && !(code & FETCH))
		faulted++;
}

static void instrument(struct qemu_plugin_insn *insn)
{
	struct instruction instruction;
	uint8_t bytes[16] = { 0 };
	size_t length = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));

	decode(bytes, length, &instruction);
	struct point *point = point_at(qemu_plugin_insn_vaddr(insn), &instruction);
	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, QEMU_PLUGIN_INLINE_ADD_U64,
							    executed, 1);
	qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_R_REGS, QEMU_PLUGIN_MEM_W,
					 point);
	if (options.fault != UNKNOWN && point->address == (uint64_t)options.fault)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fault, QEMU_PLUGIN_CB_R_REGS,
						       point);
	/* OUT %al, (%dx) */
	if (length == 1 && bytes[0] == 0xee)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_out, QEMU_PLUGIN_CB_R_REGS, point);
	switch (instruction.kind) {
	case CLFLUSH:
	case CLFLUSHOPT:
	case CLWB:
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_write_back, QEMU_PLUGIN_CB_R_REGS,
						       point);
		break;
	case FENCE:
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fence, QEMU_PLUGIN_CB_R_REGS,
						       point);
		break;
	case SERIALIZING:
	case WRITE_MSR:
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_serializing, QEMU_PLUGIN_CB_R_REGS,
						       point);
		break;
	default:
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
	if (!guest_ram.mapping.at && !find_mapping(&guest_ram.mapping)) {
		fprintf(stderr, "who-wrote plugin: QEMU has not mapped %s, the guest's memory\n",
			guest_ram.mapping.file);
		exit(1);
	}
}

static void on_end(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	keep_end(instructions());
}

static const char *parse(int argc, char **argv)
{
	const struct {
		const char *key;
		int64_t *to;
	} numbers[] = {
		{ "low", (int64_t *)&guest_ram.low },
		{ "unit", &options.unit },
		{ "byte", &options.byte },
		{ "virtual", &options.virtual_address },
		{ "physical", &options.physical },
		{ "block", &options.block },
		{ "bh-block", &options.bh_block },
		{ "bh-size", &options.bh_size },
		{ "bh-data", &options.bh_data },
		{ "bh-device", &options.bh_device },
		{ "bh-next", &options.bh_next },
		{ "bh-page", &options.bh_page },
		{ "page-private", &options.page_private },
		{ "page-mapping", &options.page_mapping },
		{ "device-disk", &options.device_disk },
		{ "disk-name", &options.disk_name },
		{ "current", &options.current },
		{ "task-comm", &options.task_comm },
		{ "task-pid", &options.task_pid },
		{ "task-tgid", &options.task_tgid },
		{ "clock", &options.clock },
		{ "fault", &options.fault },
	};
	size_t count = sizeof(numbers) / sizeof(*numbers);

	for (size_t index = 1; index < count; index++)
		*numbers[index].to = UNKNOWN;
	for (int index = 0; index < argc; index++) {
		char *value = strchr(argv[index], '='), *end;
		size_t known = 0, length = value ? (size_t)(value - argv[index]) : 0;
		if (!value++)
			return argv[index];
		if (length == 3 && memcmp(argv[index], "out", 3) == 0) {
			options.directory = value;
			continue;
		}
		if (length == 6 && memcmp(argv[index], "memory", 6) == 0) {
			guest_ram.mapping.file = value;
			continue;
		}
		while (known < count && (strlen(numbers[known].key) != length ||
					 memcmp(numbers[known].key, argv[index], length) != 0))
			known++;
		errno = 0;
		if (known == count)
			return argv[index];
		*numbers[known].to = (int64_t)strtoull(value, &end, 0);
		if (!*value || *end || errno)
			return argv[index];
	}
	if (!options.directory || !guest_ram.mapping.file || !guest_ram.low)
		return "out=, memory= or low= is missing";
	if (options.unit < 64 || options.unit > PAGE || options.unit & (options.unit - 1) ||
	    options.byte < 0)
		return "unit= or byte= is wrong";
	return NULL;
}

static int refuse(const char *why)
{
	fprintf(stderr, "who-wrote plugin: %s\n", why);
	return 1;
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
				 char **argv)
{
	const char *wrong = parse(argc, argv);

	if (wrong)
		return refuse(wrong);
	if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
		return refuse("this is for guests of qemu-system-x86_64");
	if (info->system.max_vcpus != 1)
		return refuse("the machine has several CPUs");
	if (!files_open(options.directory))
		return refuse("the directory of out= is not there, or not empty");
	executed.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_init_cb(id, on_cpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
	return 0;
}
