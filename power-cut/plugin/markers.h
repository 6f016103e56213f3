// SPDX-License-Identifier: MIT
/* Handles the marks that a program in the guest executes, with their records. */
#pragma once

#include <stdint.h>

#include "options.h"

/* Bytes of a record. */
#define MOST_RECORD 4096

void markers_begin(const struct options *options);

/* An event with the model's counters. */
void print_end(const char *name, const char *label);

/* For callbacks that may read registers; takes the model's lock. */
void marker(unsigned int cpu, uint8_t kind);
