// SPDX-License-Identifier: MIT
/* QEMU's callbacks for the guest's stores. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "qemu-api.h"

/* The data of the callback for an instruction at this address. */
void *store_data(uint64_t address, bool non_temporal);

/* After each store of the guest. */
void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);

/* Before an instruction whose stores QEMU does not all report. @param data its point (points.h) */
void on_save_area(unsigned int cpu, void *data);

/* Reports a `problem` for memory in which no store was found. The caller holds the model's lock. */
void check_memory_at_end(void);
