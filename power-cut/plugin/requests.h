// SPDX-License-Identifier: MIT
/*
 * virtio-pmem: the guest asks for a flush of the whole device, and QEMU answers by fsync of the
 * file behind it (virtio specification, "PMEM Device"; hw/virtio/virtio-pmem.c). That is where it
 * is seen: this library, loaded before the C library (LD_PRELOAD), has an `fsync` of its own.
 */
#pragma once

#include <stdint.h>

/* From now on. */
void watch_requests(void);

/* With the model's lock held: how many there were, BEGIN or not. */
uint64_t requests_seen(void);
