// SPDX-License-Identifier: MIT
/* Instructions that have their own callback. Each has a point, which is never freed. */
#pragma once

#include <stdint.h>

#include "decode.h"

struct point {
	struct instruction instruction;
	uint64_t address;
	struct point *next;
};

/* The point of this address and instruction. */
struct point *point_at(uint64_t address, const struct instruction *instruction);
