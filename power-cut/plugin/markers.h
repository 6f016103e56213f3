// SPDX-License-Identifier: MIT
/* What a program in the guest says by executing a mark: its record, and what is done then. */
#pragma once

#include <stdint.h>

#include "options.h"

/* Bytes of a record. */
#define MOST_RECORD 4096

void markers_begin(const struct options *options);

/* An event with what the model has counted. */
void print_end(const char *name, const char *label);

/* In a callback that may read registers; takes the model's lock. */
void marker(unsigned int cpu, uint8_t kind);
