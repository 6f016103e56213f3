#!/usr/bin/env bash
# e2fsck -fn reports a wrong free block count in the superblock, and still exits 0.
#
# Version: e2fsprogs 1.47.4-1+b2 (Debian sid).
# Seen: "Free blocks count wrong (5, counted=...). Fix? no", without "Filesystem still has errors",
#   and exit status 0. For the same image `e2fsck -fy` exits 1 ("errors corrected"), and
#   `e2fsck -fp` exits 1 after it corrected the count without naming the problem.
# Expected: exit status 4, "errors left uncorrected", as for a wrong count in a group descriptor.
# Consequence: a test that looks only at the exit status passes after the kernel lost count of the
#   free space.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid e2fsprogs=1.47.4-1+b2
export MKE2FS_CONFIG=$PWD/sid/etc/mke2fs.conf
run sid e2fsck -V 2>&1 | sed -n 1p

run sid mke2fs -q -t ext4 -b 1024 image 64M
run sid debugfs -w -R 'set_super_value free_blocks_count 5' image 2>debugfs.log
cp image fixed
cp image preened

status=$(status_of check.log run sid e2fsck -fn image)
show check.log 'count wrong|Fix|errors'
expect 'e2fsck -fn reports the wrong count' grep -q 'Free blocks count wrong (5,' check.log
expect 'e2fsck -fn exits 0' [ "$status" -eq 0 ]

status=$(status_of fix.log run sid e2fsck -fy fixed)
expect 'e2fsck -fy exits 1 for the same image' [ "$status" -eq 1 ]

status=$(status_of preen.log run sid e2fsck -fp preened)
show preen.log preened
expect 'e2fsck -fp exits 1 for the same image' [ "$status" -eq 1 ]
expect 'e2fsck -fp does not name the problem' lacks preen.log count
