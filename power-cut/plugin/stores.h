// SPDX-License-Identifier: MIT
/* QEMU's callbacks for what the guest stores. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "qemu-api.h"

/* What the callback is given for an instruction at this address. */
void *store_data(uint64_t address, bool non_temporal);

/* After each store of the guest. */
void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);

/* Before an instruction whose stores QEMU does not all report. @param data its point (points.h) */
void on_save_area(unsigned int cpu, void *data);

/* With the model's lock held: a `problem` for memory in which no store of the guest was found. */
void check_memory_at_end(void);
