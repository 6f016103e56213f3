// SPDX-License-Identifier: MIT
/*
 * How many write-backs each CPU has in flight, for QEMU: fences and serializing instructions of a
 * CPU that has none need no callback.
 */
#pragma once

#include "qemu-api.h"

extern struct qemu_plugin_scoreboard *scoreboard;

/* With the model's lock held. To be called when the number may have changed. */
void show_pending(unsigned int cpu);
