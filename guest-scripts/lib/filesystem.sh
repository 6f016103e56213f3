# Creates, mounts, proves and checks the file system under test. The unit runner uses it, and so do the
# built-in tests through lib/test.sh.
#
# FSTYP, MKFS_OPTIONS, MOUNT_OPTIONS, TEST_DEV, TEST_DIR, SCRATCH_DEV, SCRATCH_MNT: as in xfstests.

: "${PAGE_SIZE:=$(getconf PAGESIZE)}"
TEST_DIR=/mnt/test
SCRATCH_MNT=/mnt/scratch

# On failure the following three set REPLY to the program's output. They read it from a file: a subshell
# to catch it would be one more process.
SAID=/run/unit/said

# log_and_realtime DEVICE: sets LOG and REALTIME to the devices that a file system on this one has beside
# it, or empty.
log_and_realtime() {
	LOG='' REALTIME=''
	# shellcheck disable=SC2153 # lib/devices.sh sets them
	case $1 in
	"$TEST_DEV") LOG=${TEST_LOGDEV-} REALTIME=${TEST_RTDEV-} ;;
	"$SCRATCH_DEV") LOG=${SCRATCH_LOGDEV-} REALTIME=${SCRATCH_RTDEV-} ;;
	esac
}

# make_filesystem DEVICE. `-T default` makes ext2 and ext4 as on devices of the usual size. On small
# devices mke2fs would create four times as many inodes, which e2fsck checks one by one.
make_filesystem() {
	local make=(mke2fs -t "$FSTYP" -T default -F -q -b 4096)
	[[ $FSTYP == xfs ]] && make=(mkfs.xfs -f -q)
	log_and_realtime "$1"
	if [[ $LOG && $FSTYP == xfs ]]; then
		make+=(-l "logdev=$LOG")
	elif [[ $LOG ]]; then
		mke2fs -O journal_dev -F -q -b 4096 "$LOG" >$SAID 2>&1 || what_was_said || return
		make+=(-J "device=$LOG")
	fi
	[[ $REALTIME ]] && make+=(-r "rtdev=$REALTIME")
	# shellcheck disable=SC2086 # several words
	"${make[@]}" $MKFS_OPTIONS "$1" >$SAID 2>&1 || what_was_said
}

# take_contents DEVICE [used]: fills the device with what the host sends next (lib/contents.pl) and
# zeros the rest; `used` if the device is not new. It must not be mounted.
take_contents() {
	ask contents "$1" "${2:-empty}"
}

# mount_filesystem DEVICE DIRECTORY
mount_filesystem() {
	local options=$MOUNT_OPTIONS
	log_and_realtime "$1"
	# ext4 finds its journal itself.
	[[ $LOG && $FSTYP == xfs ]] && options+=${options:+,}logdev=$LOG
	[[ $REALTIME ]] && options+=${options:+,}rtdev=$REALTIME
	mount -t "$FSTYP" ${options:+-o "$options"} "$1" "$2" >$SAID 2>&1 || what_was_said
}

# unmount_filesystem DIRECTORY. A process that is just ending can hold a mount for a moment, so this
# tries for ten seconds.
unmount_filesystem() {
	local tries
	for tries in {1..20}; do
		umount "$1" >$SAID 2>&1 && return 0
		sleep 0.5
	done
	what_was_said
}

# Always fails.
what_was_said() {
	REPLY=$(<$SAID)
	return 1
}

# check_filesystem DEVICE: prints the check's output and returns its exit code. Never repairs.
check_filesystem() {
	log_and_realtime "$1"
	[[ $FSTYP == xfs && $LOG$REALTIME ]] && forget_unused "$1"
	case $FSTYP in
	ext2 | ext4) e2fsck -f -n ${LOG:+-j "$LOG"} "$1" ;;
	xfs) xfs_repair -n ${LOG:+-l "$LOG"} ${REALTIME:+-r "$REALTIME"} "$1" ;;
	esac 2>&1
}

# forget_unused DEVICE: empties LOG and REALTIME if this xfs, which a test may have made itself, does not
# use them: sb_logstart is 0 with an external log, and sb_rblocks without a realtime section
# (fs/xfs/libxfs/xfs_format.h, struct xfs_dsb).
forget_unused() {
	local realtime log
	read -r realtime < <(od -An -v -tx8 -j16 -N8 "$1")
	read -r log < <(od -An -v -tx8 -j48 -N8 "$1")
	[[ $realtime == *[1-9a-f]* ]] || REALTIME=''
	[[ $log == *[1-9a-f]* ]] && LOG=''
}

# Sets REPLY to the module's number of users, mounts included; empty if it is not a module.
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

# Prints the last 100 or so lines of the kernel's log.
kernel_log() {
	local log
	log=$(dmesg 2>/dev/null)
	((${#log} > 8000)) && log=${log: -8000}
	echo "$log"
}

# prove WHEN DEVICE DIRECTORY: reports to the host what is known about this mount.
prove() {
	ask prove "$1" "$2" "$3" "$FSTYP" "$PAGE_SIZE" "$REFERENCES_UNMOUNTED"
}
