#!/usr/bin/env bash
# debugfs stores a long attribute in an ea_inode file system, and e2fsck calls the result damaged.
#
# Version: e2fsprogs 1.47.4-1+b2 (Debian sid).
# Seen: `ea_set` of a 10,000-byte value succeeds and puts the value in an inode of its own, but
#   leaves i_blocks of the file as it was: "Inode 13, i_blocks is 8, should be 16", exit status 4.
#   After e2fsck corrected that, `ea_rm` makes the opposite mistake. `mke2fs -d` uses the same
#   library code, so it makes such images from files with long attributes.
# Expected: an image that e2fsprogs writes passes its own check.
# Consequence: a test that fills its file system with mke2fs -d or debugfs blames the kernel for
#   this damage.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid e2fsprogs=1.47.4-1+b2
export MKE2FS_CONFIG=$PWD/sid/etc/mke2fs.conf
run sid debugfs -V 2>&1 | sed -n 1p

# debugfs COMMAND: on the image, for writing.
debugfs() { run sid debugfs -w -R "$1" image 2>>debugfs.log; }

echo content >file
head -c 10000 /dev/zero | tr '\0' a >value
run sid mke2fs -q -t ext4 -b 4096 -O ea_inode image 32M
debugfs 'write file file' >/dev/null
expect 'the image is clean before' run sid e2fsck -fn image

expect 'debugfs sets the attribute' debugfs 'ea_set -f value file user.long'
status=$(status_of set.log run sid e2fsck -fn image)
show set.log i_blocks
expect 'e2fsck exits 4 after ea_set' [ "$status" -eq 4 ]
expect 'e2fsck finds too small an i_blocks' grep -q 'i_blocks is 8, should be 16' set.log

status=$(status_of fix.log run sid e2fsck -fy image)
expect 'e2fsck corrects it' [ "$status" -eq 1 ]
expect 'debugfs removes the attribute' debugfs 'ea_rm file user.long'
status=$(status_of remove.log run sid e2fsck -fn image)
show remove.log i_blocks
expect 'e2fsck exits 4 after ea_rm' [ "$status" -eq 4 ]
expect 'e2fsck finds too large an i_blocks' grep -q 'i_blocks is 16, should be 8' remove.log
