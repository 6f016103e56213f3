// SPDX-License-Identifier: MIT
/*
 * Which lines may be lost at a power cut: those that are dirty, stored to since their last
 * write-back, and those with write-backs in flight.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ranges.h"

static inline bool is_dirty(const struct range *range, uint64_t line)
{
	return range->dirty[line / 64] >> (line % 64) & 1;
}

static inline bool is_pending(const struct range *range, uint64_t line)
{
	return range->pending[line / 64] >> (line % 64) & 1;
}

/* @param bits `dirty` or `pending` of the range */
void set_line(struct range *range, uint64_t *bits, uint64_t line);
void clear_line(struct range *range, uint64_t *bits, uint64_t line);

bool anything_unfenced(void);

typedef void (*line_action)(struct range *range, uint64_t line, void *data);

/* In the order of their addresses. */
void each_unfenced_of(struct range *range, line_action action, void *data);
void each_unfenced(line_action action, void *data);

/* Whether the line's contents in the guest's memory differ from the medium. */
bool is_lost(const struct range *range, uint64_t line);

/* Whether the line was last stored to before this many stores. */
bool is_before(const struct range *range, uint64_t line, uint64_t stores);

/*
 * How many lines were last stored to before this many stores and are not on the medium: of range
 * `number`, or of all ranges if it is less than 0.
 */
uint64_t lost_since(uint64_t stores, int64_t number);
