// SPDX-License-Identifier: MIT
/*
 * The images of a power cut, as deltas:
 *
 *   medium       the pages of the medium that changed since the previous cut
 *   everything   what the guest reads
 *   random-N     each line that is dirty or in flight, in a state that is legal for it;
 *                each page, where requests flush
 *
 * The caller holds the model's lock. All functions return false after a `problem`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* base-N.img of each range: what is on the media now. Call it once, before the first cut. */
bool write_bases(void);

bool write_medium(const char *name);
bool write_everything(const char *name);
/* @param random the generator's state */
bool write_random(const char *name, uint64_t *random);
