// SPDX-License-Identifier: MIT
/*
 * QEMU's callbacks for instructions that write back, fence or serialize. `data` is their point
 * (points.h).
 */
#pragma once

/* Before CLWB, CLFLUSHOPT, CLFLUSH. */
void on_write_back(unsigned int cpu, void *data);

/* Before SFENCE, MFENCE, locked instructions. */
void on_fence(unsigned int cpu, void *data);

/* Before instructions that drain stores but are not store-fencing operations. */
void on_serializing(unsigned int cpu, void *data);
