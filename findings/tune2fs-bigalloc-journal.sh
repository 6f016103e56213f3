#!/usr/bin/env bash
# tune2fs removes the journal of a bigalloc file system and counts more free blocks than there are.
#
# Version: e2fsprogs 1.47.4-1+b2 (Debian sid).
# Seen: `tune2fs -O ^has_journal` exits 0. The superblock then counts 39744 free blocks of 24576,
#   and e2fsck prints "18446744073709536448/24576 blocks" and exits 4. The journal's blocks are
#   given back one by one, each as a whole cluster of 16 blocks.
# Expected: free counts grow by the journal's size.
# Consequence: ext4 without a journal is a common test configuration. Made this way, its first
#   check fails before the kernel ever mounted it.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid e2fsprogs=1.47.4-1+b2
export MKE2FS_CONFIG=$PWD/sid/etc/mke2fs.conf
run sid e2fsck -V 2>&1 | sed -n 1p

# count NAME: a count of the superblock.
count() { run sid dumpe2fs -h image 2>/dev/null | awk -F: -v name="$1" '$1 == name { print $2 + 0 }'; }

run sid mke2fs -q -t ext4 -b 4096 -O 'bigalloc,^orphan_file' image 96M
expect 'the image is clean before' run sid e2fsck -fn image
echo "    before: $(count 'Free blocks') of $(count 'Block count') blocks free"

expect 'tune2fs removes the journal' run sid tune2fs -O '^has_journal' image
echo "    after: $(count 'Free blocks') of $(count 'Block count') blocks free"
expect 'more blocks are free than exist' [ "$(count 'Free blocks')" -gt "$(count 'Block count')" ]

status=$(status_of check.log run sid e2fsck -fn image)
show check.log 'count wrong|blocks$'
expect 'e2fsck exits 4' [ "$status" -eq 4 ]
