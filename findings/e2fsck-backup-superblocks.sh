#!/usr/bin/env bash
# e2fsck -f calls a file system clean that has no backup superblock and no backup group descriptors.
#
# Version: e2fsprogs 1.47.4-1+b2 (Debian sid).
# Seen: all backups of a new ext4 file system are overwritten with zeros. `e2fsck -fn` and
#   `e2fsck -fy` print no complaint and exit 0. The -fy run does not write the backups anew.
#   `e2fsck -b 32768` exits 8: "Bad magic number in super-block".
# Expected: a full check also reads the copies that a repair depends on.
# Consequence: a clean e2fsck does not prove that nothing wrote over the backups, so a test of
#   resizing, or of stray writes, has to compare them itself.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid e2fsprogs=1.47.4-1+b2
export MKE2FS_CONFIG=$PWD/sid/etc/mke2fs.conf
run sid e2fsck -V 2>&1 | sed -n 1p

run sid mke2fs -q -t ext4 -b 4096 image 512M
run sid dumpe2fs image 2>/dev/null | grep 'Backup superblock'
status=$(status_of backup.log run sid e2fsck -fn -b 32768 -B 4096 image)
expect 'e2fsck can start from the backup at block 32768' [ "$status" -lt 8 ]

# A superblock and the one block of group descriptors after it, in groups 1 and 3.
for block in 32768 98304; do
	dd if=/dev/zero of=image bs=4096 seek="$block" count=2 conv=notrunc status=none
done

expect 'e2fsck -fn exits 0 without the backups' run sid e2fsck -fn image
status=$(status_of fix.log run sid e2fsck -fy image)
show fix.log 'image:'
expect 'e2fsck -fy exits 0 without the backups' [ "$status" -eq 0 ]
expect 'e2fsck -fy leaves the backups zero' \
	cmp -n 8192 -i "$((32768 * 4096)):0" image /dev/zero

status=$(status_of backup.log run sid e2fsck -fn -b 32768 -B 4096 image)
show backup.log 'magic'
expect 'e2fsck cannot start from the backup any more (exit status 8)' [ "$status" -eq 8 ]
