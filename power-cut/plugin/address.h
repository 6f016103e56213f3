// SPDX-License-Identifier: MIT
/*
 * Computes the virtual addresses of operands from the CPU's registers, and their physical
 * addresses from the guest's page tables (Intel SDM, volume 3, 4.5: four and five levels).
 */
#pragma once

#include "decode.h"
#include "memory.h"

/* Looks up the registers. Call it when a CPU starts. */
void find_registers(void);

/* General purpose registers in the order of their encoding. For callbacks that may read registers. */
uint64_t general_register(int number);

/* The kernel's GS base: the register's own in the kernel, else the one that SWAPGS will exchange it for. */
uint64_t gs_base(bool in_kernel);

/* @param at the instruction's own address */
uint64_t operand_address(const struct instruction *instruction, uint64_t at);

/*
 * Whether an instruction of kind SERIALIZING or WRITE_MSR serializes: writing some registers does not (Intel SDM,
 * volume 3, "Serializing Instructions").
 */
bool serializes(const struct instruction *instruction);

/* Returns false if nothing is mapped there, or outside long mode. */
bool translate(uint64_t virtual_address, uint64_t *physical);
