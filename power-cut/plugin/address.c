// SPDX-License-Identifier: MIT
#include "address.h"

#include <string.h>

#include "qemu-api.h"

enum { FS_BASE = 16, GS_BASE, KERNEL_GS_BASE, CR0, CR3, CR4, EFER, REGISTERS };

/* As QEMU's descriptions for GDB name them (gdb-xml/i386-64bit.xml). */
static const char *const NAMES[REGISTERS] = {
	"rax",     "rcx",     "rdx",       "rbx", "rsp", "rbp", "rsi",  "rdi",
	"r8",      "r9",      "r10",       "r11", "r12", "r13", "r14",  "r15",
	"fs_base", "gs_base", "k_gs_base", "cr0", "cr3", "cr4", "efer",
};

static struct qemu_plugin_register *handles[REGISTERS];
static __thread GByteArray *buffer;

void find_registers(void)
{
	/* Its array is kept: there is one per CPU, and freeing it would need one more function of GLib. */
	GArray *all = qemu_plugin_get_registers();

	for (unsigned int index = 0; all && index < all->len; index++) {
		qemu_plugin_reg_descriptor *one = (qemu_plugin_reg_descriptor *)all->data + index;
		for (int number = 0; number < REGISTERS; number++)
			if (strcmp(one->name, NAMES[number]) == 0)
				handles[number] = one->handle;
	}
}

static uint64_t read_register(int number)
{
	uint64_t value = 0;

	if (!handles[number])
		return 0;
	if (!buffer)
		buffer = g_byte_array_new();
	g_byte_array_set_size(buffer, 0);
	int size = qemu_plugin_read_register(handles[number], buffer);
	if (size > 0)
		memcpy(&value, buffer->data, size < 8 ? size : 8);
	return value;
}

uint64_t general_register(int number)
{
	return read_register(number);
}

uint64_t gs_base(bool in_kernel)
{
	return read_register(in_kernel ? GS_BASE : KERNEL_GS_BASE);
}

uint64_t operand_address(const struct instruction *instruction, uint64_t at)
{
	const struct operand *operand = &instruction->operand;
	uint64_t address = (int64_t)operand->displacement;

	if (operand->relative_to_next)
		address += at + instruction->length;
	if (operand->base >= 0)
		address += read_register(operand->base);
	if (operand->index >= 0)
		address += read_register(operand->index) << operand->scale;
	if (operand->address_32)
		address = (uint32_t)address;
	if (operand->segment)
		address += read_register(operand->segment == 'f' ? FS_BASE : GS_BASE);
	return address;
}

bool serializes(const struct instruction *instruction)
{
	/* ECX names the register of WRMSR. */
	enum { RCX = 1, TSC_DEADLINE = 0x6e0, X2APIC_FIRST = 0x802, X2APIC_LAST = 0x83f };
	uint32_t msr;

	if (instruction->kind != WRITE_MSR)
		return instruction->kind == SERIALIZING;
	msr = general_register(RCX);
	return msr != TSC_DEADLINE && (msr < X2APIC_FIRST || msr > X2APIC_LAST);
}

bool translate(uint64_t virtual_address, uint64_t *physical)
{
	const uint64_t present = 1, large = 1 << 7, frame = UINT64_C(0x000ffffffffff000);
	const uint64_t paging = UINT64_C(1) << 31, long_mode = 1 << 10, five_levels = 1 << 12;

	if (!(read_register(CR0) & paging)) {
		*physical = virtual_address;
		return true;
	}
	if (!(read_register(EFER) & long_mode))
		return false;
	uint64_t entry = read_register(CR3);
	for (int level = read_register(CR4) & five_levels ? 5 : 4; level > 0; level--) {
		int shift = 3 + 9 * level;
		uint64_t table = entry & frame;
		const uint8_t *at = ram_at(table + (virtual_address >> shift & 511) * 8);
		if (!at)
			return false;
		entry = *(const volatile uint64_t *)at;
		if (!(entry & present))
			return false;
		if (level == 1 || (level <= 3 && entry & large)) {
			uint64_t inside = (UINT64_C(1) << shift) - 1;
			*physical = (entry & frame & ~inside) | (virtual_address & inside);
			return true;
		}
	}
	return false;
}
