# Making, mounting, proving and checking the file system under test. Used by the unit runner and,
# through lib/test.sh, by the built-in tests.
#
# FSTYP, MKFS_OPTIONS, MOUNT_OPTIONS, TEST_DEV, TEST_DIR, SCRATCH_DEV, SCRATCH_MNT: as in xfstests.

: "${PAGE_SIZE:=$(getconf PAGESIZE)}"
TEST_DIR=/mnt/test
SCRATCH_MNT=/mnt/scratch

# The following three leave in REPLY what the program said where it failed: by a file, since a
# subshell to catch it would be one more process.
SAID=/run/unit/said

# make_filesystem DEVICE. `-T default` makes ext2 and ext4 as they are on devices of a usual size;
# small ones would get four times the inodes, which e2fsck looks at one by one.
make_filesystem() {
	local make=(mke2fs -t "$FSTYP" -T default -F -q -b 4096)
	[[ $FSTYP == xfs ]] && make=(mkfs.xfs -f -q)
	# shellcheck disable=SC2086 # several words
	"${make[@]}" $MKFS_OPTIONS "$1" >$SAID 2>&1 || what_was_said
}

# take_contents DEVICE [used]: the device gets what the host sends next (lib/contents.pl), and is zero
# elsewhere; `used` where it is not new. It is not mounted then.
take_contents() {
	ask contents "$1" "${2:-empty}"
}

# mount_filesystem DEVICE DIRECTORY
mount_filesystem() {
	mount -t "$FSTYP" ${MOUNT_OPTIONS:+-o "$MOUNT_OPTIONS"} "$1" "$2" >$SAID 2>&1 || what_was_said
}

# unmount_filesystem DIRECTORY. A process that is just ending can hold a mount for a moment; it gets
# ten seconds.
unmount_filesystem() {
	local tries
	for tries in {1..20}; do
		umount "$1" >$SAID 2>&1 && return 0
		sleep 0.5
	done
	what_was_said
}

# Fails, always.
what_was_said() {
	REPLY=$(<$SAID)
	return 1
}

# check_filesystem DEVICE: the check's own output and exit code. Never repairs.
check_filesystem() {
	case $FSTYP in
	ext2 | ext4) e2fsck -f -n "$1" ;;
	xfs) xfs_repair -n "$1" ;;
	esac 2>&1
}

# The number of mounts and other users that a module has now, in REPLY; empty where it is no module.
module_references() {
	REPLY=''
	[[ -r /sys/module/$1/refcnt ]] && read -r REPLY <"/sys/module/$1/refcnt"
}

# is_mounted DIRECTORY
is_mounted() {
	local source target rest
	while read -r source target rest; do
		[[ $target == "$1" ]] && return 0
	done </proc/mounts
	return 1
}

# The end of the kernel's log, some 100 lines.
kernel_log() {
	local log
	log=$(dmesg 2>/dev/null)
	((${#log} > 8000)) && log=${log: -8000}
	echo "$log"
}

# prove WHEN DEVICE DIRECTORY: tells the host what is known of this mount.
prove() {
	ask prove "$1" "$2" "$3" "$FSTYP" "$PAGE_SIZE" "$REFERENCES_UNMOUNTED"
}
