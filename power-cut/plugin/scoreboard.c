// SPDX-License-Identifier: MIT
#include "scoreboard.h"

#include "pending.h"

struct qemu_plugin_scoreboard *scoreboard;

void show_pending(unsigned int cpu)
{
	*(uint64_t *)qemu_plugin_scoreboard_find(scoreboard, cpu) = pending_of_cpu(cpu);
}
