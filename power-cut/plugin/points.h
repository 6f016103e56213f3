// SPDX-License-Identifier: MIT
/* Instructions that have a callback of their own: each has a point, which is kept for good. */
#pragma once

#include <stdint.h>

#include "decode.h"

struct point {
	struct instruction instruction;
	uint64_t address;
	struct point *next;
};

/* The one of this address and instruction. */
struct point *point_at(uint64_t address, const struct instruction *instruction);
