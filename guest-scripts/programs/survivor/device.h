/*
 * The device of an image: a partition of the disk that has all images, which is mounted and
 * unmounted.
 */
#ifndef DEVICE_H
#define DEVICE_H

/*
 * Makes a part of a disk its first partition: a device of its own, of which nothing has been
 * read.
 */
int add_partition(int disk, long start, long length);

/* Removes it, and gives its room back to the host. */
void delete_partition(int disk, long start, long length);

/* Waits up to ten seconds for a process that is just ending, and still holds the mount. */
int unmount(const char *directory);

#endif
