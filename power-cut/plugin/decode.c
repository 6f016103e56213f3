// SPDX-License-Identifier: MIT
#include "decode.h"

#include <string.h>

struct reader {
	const uint8_t *bytes;
	size_t length, at;
	bool size_66, repeat_f3, repeat_f2, lock, address_32, vex;
	uint8_t rex;
	char segment;
	/* 0: one byte; 1: 0F; 2: 0F 38; 3: 0F 3A */
	int map;
};

/* A mark is NOPL disp32(%rax,%rax,1) whose displacement is its kind and 'D' 'A' 'X'. */
static const uint8_t MARKER_HEAD[] = { 0x0f, 0x1f, 0x84, 0x00 };
static const uint8_t MARKER_TAIL[] = { 'D', 'A', 'X' };

static int next(struct reader *r)
{
	return r->at < r->length ? r->bytes[r->at++] : -1;
}

static int peek(const struct reader *r)
{
	return r->at < r->length ? r->bytes[r->at] : -1;
}

static void legacy_prefixes(struct reader *r)
{
	for (;; r->at++) {
		switch (peek(r)) {
		case 0x66:
			r->size_66 = true;
			break;
		case 0x67:
			r->address_32 = true;
			break;
		case 0xf0:
			r->lock = true;
			break;
		case 0xf2:
			r->repeat_f2 = true;
			break;
		case 0xf3:
			r->repeat_f3 = true;
			break;
		case 0x64:
			r->segment = 'f';
			break;
		case 0x65:
			r->segment = 'g';
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			break;
		default:
			return;
		}
	}
}

static void vex_prefix(uint8_t pp, struct reader *r)
{
	r->vex = true;
	r->size_66 = pp == 1;
	r->repeat_f3 = pp == 2;
	r->repeat_f2 = pp == 3;
}

/* Reads up to the opcode and returns it; -1 if there is none. */
static int opcode(struct reader *r)
{
	legacy_prefixes(r);
	int byte = next(r);
	if (byte >= 0x40 && byte <= 0x4f) {
		r->rex = byte;
		byte = next(r);
	}
	if (byte == 0xc5 && !r->rex) {
		int second = next(r);
		if (second < 0)
			return -1;
		r->map = 1;
		r->rex = 0x40 | (second & 0x80 ? 0 : 4);
		vex_prefix(second & 3, r);
		return next(r);
	}
	if (byte == 0xc4 && !r->rex) {
		int second = next(r), third = next(r);
		if (third < 0)
			return -1;
		r->map = second & 0x1f;
		r->rex = 0x40 | (~second >> 5 & 7);
		vex_prefix(third & 3, r);
		return next(r);
	}
	if (byte != 0x0f)
		return byte;
	r->map = 1;
	byte = next(r);
	if (byte == 0x38 || byte == 0x3a) {
		r->map = byte == 0x38 ? 2 : 3;
		byte = next(r);
	}
	return byte;
}

static int32_t displacement(struct reader *r, int size)
{
	if (size == 1)
		return (int8_t)next(r);
	uint32_t value = 0;
	for (int shift = 0; shift < 32; shift += 8)
		value |= (uint32_t)(next(r) & 0xff) << shift;
	return (int32_t)value;
}

/* Volume 2, 2.1.5 and 2.2.1: ModRM, SIB and what REX adds. The operand is memory. */
static void memory_operand(struct reader *r, uint8_t modrm, struct operand *to)
{
	int mod = modrm >> 6, rm = modrm & 7;

	*to = (struct operand){ .base = -1, .index = -1, .segment = r->segment };
	to->address_32 = r->address_32;
	if (rm == 4) {
		int sib = next(r);
		int index = (sib >> 3 & 7) | (r->rex & 2 ? 8 : 0);
		int base = sib & 7;
		if (index != 4) {
			to->index = index;
			to->scale = sib >> 6 & 3;
		}
		if (base == 5 && mod == 0)
			to->displacement = displacement(r, 4);
		else
			to->base = base | (r->rex & 1 ? 8 : 0);
	} else if (rm == 5 && mod == 0) {
		to->relative_to_next = true;
		to->displacement = displacement(r, 4);
	} else {
		to->base = rm | (r->rex & 1 ? 8 : 0);
	}
	if (mod == 1)
		to->displacement = displacement(r, 1);
	else if (mod == 2)
		to->displacement = displacement(r, 4);
}

static bool has_operand(enum instruction_kind kind)
{
	return kind == CLFLUSH || kind == CLFLUSHOPT || kind == CLWB || kind == SAVE_AREA;
}

/* 0F AE: the prefix, ModRM.reg and the kind of operand select the instruction. */
static enum instruction_kind group_15(const struct reader *r, uint8_t modrm)
{
	int reg = modrm >> 3 & 7;

	if (modrm >> 6 == 3) {
		bool plain = !r->size_66 && !r->repeat_f2 && !r->repeat_f3;
		return plain && (reg == 6 || reg == 7) ? FENCE : ORDINARY;
	}
	if (r->repeat_f2 || r->repeat_f3)
		return ORDINARY;
	if (r->size_66)
		return reg == 6 ? CLWB : reg == 7 ? CLFLUSHOPT : ORDINARY;
	return reg == 7 ? CLFLUSH : reg == 0 || reg == 4 || reg == 6 ? SAVE_AREA : ORDINARY;
}

static enum instruction_kind two_byte(struct reader *r, int code, struct instruction *to)
{
	int modrm = peek(r), reg = modrm >> 3 & 7;
	bool memory = modrm >= 0 && modrm >> 6 != 3;

	switch (code) {
	case 0xae:
		return r->vex || modrm < 0 ? ORDINARY : group_15(r, modrm);
	case 0xc7: /* XSAVEC, XSAVES */
		return !r->vex && memory && (reg == 4 || reg == 5) ? SAVE_AREA : ORDINARY;
	case 0xc3: /* MOVNTI */
		to->non_temporal = memory && !r->vex;
		return ORDINARY;
	case 0x2b: /* MOVNTPS, MOVNTPD, and AMD's MOVNTSS and MOVNTSD */
	case 0xe7: /* MOVNTQ, MOVNTDQ; with F3 and F2 there are conversions */
		to->non_temporal = memory && !(code == 0xe7 && (r->repeat_f2 || r->repeat_f3));
		return ORDINARY;
	case 0xf7: /* MASKMOVQ, MASKMOVDQU */
		to->non_temporal = !memory;
		return ORDINARY;
	}
	if (r->vex)
		return ORDINARY;
	switch (code) {
	case 0x30:
		return WRITE_MSR;
	case 0x00: /* LLDT, LTR */
		return reg == 2 || reg == 3 ? SERIALIZING : ORDINARY;
	case 0x01: /* LGDT, LIDT, INVLPG; SERIALIZE */
		return (memory && (reg == 2 || reg == 3 || reg == 7)) ||
				       (modrm == 0xe8 && !r->repeat_f2 && !r->repeat_f3)
			       ? SERIALIZING
			       : ORDINARY;
	case 0x08:
	case 0x09:
	case 0xa2:
	case 0xaa: /* INVD, WBINVD, CPUID, RSM */
		return SERIALIZING;
	case 0x22: /* MOV to control registers except CR8 */
		return (reg | (r->rex & 4 ? 8 : 0)) == 8 ? ORDINARY : SERIALIZING;
	case 0x23: /* MOV to debug registers */
		return SERIALIZING;
	}
	return ORDINARY;
}

static enum instruction_kind one_byte(const struct reader *r, int code)
{
	int modrm = peek(r);

	switch (code) {
	case 0x86:
	case 0x87: /* XCHG with memory locks implicitly. */
		return modrm >= 0 && modrm >> 6 != 3 ? FENCE : ORDINARY;
	case 0xcf: /* IRET */
	case 0x6c:
	case 0x6d:
	case 0x6e:
	case 0x6f: /* INS, OUTS */
	case 0xe4:
	case 0xe5:
	case 0xe6:
	case 0xe7: /* IN, OUT */
	case 0xec:
	case 0xed:
	case 0xee:
	case 0xef:
		return SERIALIZING;
	}
	return ORDINARY;
}

static bool is_marker(const uint8_t *bytes, size_t length)
{
	return length == 8 && memcmp(bytes, MARKER_HEAD, sizeof(MARKER_HEAD)) == 0 &&
	       memcmp(bytes + 5, MARKER_TAIL, sizeof(MARKER_TAIL)) == 0;
}

void decode(const uint8_t *bytes, size_t length, struct instruction *to)
{
	struct reader r = { .bytes = bytes, .length = length };

	*to = (struct instruction){ .kind = ORDINARY, .length = length };
	if (is_marker(bytes, length)) {
		to->kind = MARKER;
		to->marker = bytes[4];
		return;
	}
	int code = opcode(&r);
	if (code < 0)
		return;
	if (r.map == 0)
		to->kind = one_byte(&r, code);
	else if (r.map == 1)
		to->kind = two_byte(&r, code, to);
	else if (r.map == 2 && !r.vex) /* MOVDIRI; MOVDIR64B */
		to->non_temporal = (code == 0xf9 && !r.size_66 && !r.repeat_f2 && !r.repeat_f3) ||
				   (code == 0xf8 && r.size_66);
	if (r.lock)
		to->kind = FENCE;
	if (has_operand(to->kind))
		memory_operand(&r, next(&r), &to->operand);
}
