/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* The two parts of the module. */
#pragma once

int unmounts_begin(void);
void unmounts_end(void);

int sync_calls_begin(void);
void sync_calls_end(void);
