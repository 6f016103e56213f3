// SPDX-License-Identifier: MIT
/*
 * Virtual addresses of operands, from the CPU's registers, and their physical addresses, by a
 * walk of the guest's page tables (Intel SDM, volume 3, 4.5: four and five levels).
 */
#pragma once

#include "decode.h"
#include "memory.h"

/* Looks up the registers. To be called when a CPU starts. */
void find_registers(void);

/* General purpose registers in their encoding's order. In callbacks that may read registers. */
uint64_t general_register(int number);

/* @param at the instruction's own address */
uint64_t operand_address(const struct instruction *instruction, uint64_t at);

/* false where nothing is mapped there, or not in long mode. */
bool translate(uint64_t virtual_address, uint64_t *physical);
