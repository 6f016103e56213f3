#!/usr/bin/env bash
# xfs_repair -n says "corrupt" by its exit status about a sound file system that is newer than it.
#
# Versions: mkfs.xfs 7.2.0-1 (Debian sid), xfs_repair and xfs_metadump 6.1.0-1 (Debian bookworm).
# Seen: mkfs.xfs 7.2.0 turns on exchange-range and parent pointers. `xfs_repair -n` 6.1.0 exits 1
#   after "Superblock has unknown ... features (0x0/0x0/0xc0)"; its manual says that 1 means
#   corruption. `xfs_metadump` 6.1.0 complains too, but exits 0.
# Expected: an exit status of its own for "cannot check this".
# Consequence: a new mkfs.xfs beside an old xfs_repair, as in a guest with programs of its own,
#   turns every file system into a corrupt one for a test that looks only at the exit status.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack new sid xfsprogs=7.2.0-1
unpack old bookworm xfsprogs=6.1.0-1
run new mkfs.xfs -V
run old xfs_repair -V

run new mkfs.xfs -q -d file,size=300m,name=image
expect 'xfs_repair -n of the same release exits 0' run new xfs_repair -n image

status=$(status_of check.log run old xfs_repair -n image)
show check.log 'unknown|recommended|unsupported'
expect 'xfs_repair -n of the older release exits 1' [ "$status" -eq 1 ]
status=$(status_of dump.log run old xfs_db -i -p xfs_metadump -c 'metadump dump' image)
show dump.log 'cannot be safely'
expect 'xfs_metadump of the older release exits 0' [ "$status" -eq 0 ]

run new mkfs.xfs -q -f -i exchange=0 -n parent=0 -d file,size=300m,name=plain
expect 'without the two features the older xfs_repair -n exits 0' run old xfs_repair -n plain
