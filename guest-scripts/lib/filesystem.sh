# Making, mounting, proving and checking the file system under test. Used by the unit runner and,
# through lib/test.sh, by the built-in tests.
#
# FSTYP, MKFS_OPTIONS, MOUNT_OPTIONS, TEST_DEV, TEST_DIR, SCRATCH_DEV, SCRATCH_MNT: as in xfstests.

: "${PAGE_SIZE:=$(getconf PAGESIZE)}"
TEST_DIR=/mnt/test
SCRATCH_MNT=/mnt/scratch

# make_filesystem DEVICE: its output is what mkfs says.
make_filesystem() {
	case $FSTYP in
	ext2) mke2fs -t ext2 -F -q -b 4096 $MKFS_OPTIONS "$1" ;;
	ext4) mke2fs -t ext4 -F -q -b 4096 $MKFS_OPTIONS "$1" ;;
	xfs) mkfs.xfs -f -q $MKFS_OPTIONS "$1" ;;
	esac 2>&1
}

# mount_filesystem DEVICE DIRECTORY: its output is what mount says.
mount_filesystem() {
	mount -t "$FSTYP" ${MOUNT_OPTIONS:+-o "$MOUNT_OPTIONS"} "$1" "$2" 2>&1
}

# A process that is just ending can hold a mount for a moment; it gets ten.
unmount_filesystem() {
	local tries
	for tries in {1..20}; do
		umount "$1" 2>/run/unit/umount && return 0
		sleep 0.5
	done
	cat /run/unit/umount
	return 1
}

# check_filesystem DEVICE: the check's own output and exit code. Never repairs.
check_filesystem() {
	case $FSTYP in
	ext2 | ext4) e2fsck -f -n "$1" ;;
	xfs) xfs_repair -n "$1" ;;
	esac 2>&1
}

# The number of mounts and other users that a module has now, nothing where it is no module.
module_references() {
	[[ -r /sys/module/$1/refcnt ]] && echo "$(</sys/module/$1/refcnt)"
}

# The end of the kernel's log, some 100 lines.
kernel_log() {
	local log
	log=$(dmesg 2>/dev/null)
	((${#log} > 8000)) && log=${log: -8000}
	echo "$log"
}

# prove WHEN DEVICE DIRECTORY: tells the host what is known of this mount. It judges nothing.
#
# What serves a mount is told by the kernel's own traces, not by the mount's type: ext4 and xfs
# keep a directory per mounted device in /sys/fs, also where ext4 serves "ext2", and a module in
# use is counted.
prove() {
	local when=$1 device=$2 directory=$3 node=${2##*/} mounted=false
	local source target type options rest found_type='' found_options=''
	while read -r source target type options rest; do
		[[ $target == "$directory" ]] || continue
		mounted=true found_type=$type found_options=$options
		[[ $source == "$device" ]] || mounted=false
	done </proc/mounts

	local attributes='' mask='' line probe=$directory/.daxrepro-probe fresh=true
	if $mounted && ! : 2>/dev/null >"$probe"; then
		# A test may have left no room for a new file; any that is there shows the same.
		fresh=false
		probe=$(find "$directory" -xdev -type f -print -quit)
	fi
	if $mounted && [[ $probe ]]; then
		while read -r line; do
			case $line in
			"stat.attributes = "*) attributes=${line##* } ;;
			"stat.attributes_mask = "*) mask=${line##* } ;;
			esac
		done < <(xfs_io -r -c 'statx -r' "$probe" 2>&1)
		$fresh && rm -f "$probe"
	fi
	local by_ext4=false by_xfs=false build_id=''
	[[ -d /sys/fs/ext4/$node ]] && by_ext4=true
	[[ -d /sys/fs/xfs/$node ]] && by_xfs=true
	if [[ -r /sys/module/$FSTYP/notes/.note.gnu.build-id ]]; then
		build_id=$(od -An -v -tx1 -j16 "/sys/module/$FSTYP/notes/.note.gnu.build-id")
		build_id=${build_id//[[:space:]]/}
	fi
	event proof "when=$when" "device=$device" "directory=$directory" "mounted:=$mounted" \
		"type=$found_type" "options=$found_options" \
		"servedByExt4:=$by_ext4" "servedByXfs:=$by_xfs" \
		"moduleReferences=$(module_references "$FSTYP")" \
		"moduleReferencesUnmounted=${REFERENCES_UNMOUNTED}" "moduleBuildId=$build_id" \
		"statxAttributes=$attributes" "statxMask=$mask" \
		"blockSize=$($mounted && stat -f -c %S "$directory" 2>/dev/null)" \
		"pageSize=$PAGE_SIZE" "kernelLog=$(kernel_log)"
}
