// SPDX-License-Identifier: MIT
/*
 * virtio-pmem: the guest asks for a flush of the whole device, and QEMU answers by fsync of the
 * file behind it (virtio specification, "PMEM Device"; hw/virtio/virtio-pmem.c). This library is
 * loaded before the C library (LD_PRELOAD), and its own `fsync` observes these requests.
 */
#pragma once

#include <stdint.h>

/* Starts observing. */
void watch_requests(void);

/* The number of requests, before BEGIN too. The caller holds the model's lock. */
uint64_t requests_seen(void);
