// SPDX-License-Identifier: MIT
/*
 * Tells QEMU how many write-backs each CPU has in flight: if it has none, its fences and
 * serializing instructions need no callback.
 */
#pragma once

#include "qemu-api.h"

extern struct qemu_plugin_scoreboard *scoreboard;

/* Call it when the number may have changed. The caller holds the model's lock. */
void show_pending(unsigned int cpu);
