// SPDX-License-Identifier: MIT
/*
 * Finds the instructions that affect what survives a power cut, and their operands. 64-bit code
 * only. Encodings are those of the Intel SDM, volume 2 (instruction reference, appendix A).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum instruction_kind {
	/* QEMU reports its stores, if any. */
	ORDINARY,
	CLFLUSH,
	CLFLUSHOPT,
	CLWB,
	/* SFENCE, MFENCE, XCHG with memory, a LOCK prefix. */
	FENCE,
	/* Drains stores, but is not a store-fencing operation: CPUID, IRET, IN, OUT, … (model.h). */
	SERIALIZING,
	/* The same, except for some of its registers. */
	WRITE_MSR,
	/* FXSAVE and XSAVE: QEMU does not report all of their stores. */
	SAVE_AREA,
	MARKER,
};

struct operand {
	/* Registers in the order of their encoding, 0 rax to 15 r15; -1 for none. */
	int8_t base, index;
	uint8_t scale;
	/* 'f', 'g', or 0 for the segments whose base is 0. */
	char segment;
	bool relative_to_next, address_32;
	int32_t displacement;
};

struct instruction {
	enum instruction_kind kind;
	/* Its stores bypass the caches: MOVNTI, MOVNTDQ, MOVDIR64B, … */
	bool non_temporal;
	uint8_t marker;
	uint8_t length;
	/* The operand of CLFLUSH, CLFLUSHOPT, CLWB and SAVE_AREA. */
	struct operand operand;
};

/* The kinds of markers; seven bytes more make the instruction (plugin.c has its form). */
enum { MARK_BEGIN = 1, MARK_PROMISE, MARK_CUT, MARK_END, MARK_CALL, MARK_RETURN };

void decode(const uint8_t *bytes, size_t length, struct instruction *to);
