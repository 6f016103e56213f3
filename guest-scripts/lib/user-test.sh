# Runs a test file of the user's in place of a bundled test, by the reporter (lib/user-test.pl). Its mounts
# are observed like those of xfstests.

. "$DAXREPRO/lib/mounts.sh"

# The only program of ours in its PATH. The others in guest-scripts/xfstests are for `check`.
USER_TEST_PROGRAMS=/run/unit/programs

run_user_test() {
	ask unpack-user-test "${UNIT[PACK_BYTES]}" || {
		give_up unpack-test "$REPLY"
		return
	}
	mkdir -p "$USER_TEST_PROGRAMS" /run/unit/checked
	ln -sfn "$DAXREPRO/xfstests/mount" "$USER_TEST_PROGRAMS/mount"
	: >/run/unit/seen
	chmod 666 /run/unit/seen
	watch_mounts && WATCHED=true
	MOUNTS_BEFORE=$(mounts_made)
	watch_sync_calls || return
	local variable additional=()
	for variable in ${UNIT[ADDITIONAL]}; do additional+=("$variable=${!variable}"); done
	ask run-user-test "${UNIT[USER_TEST]}" "${UNIT[TIMEOUT]}" "${UNIT[TIME_LIMIT_IS]:-failure}" \
		"PATH=$USER_TEST_PROGRAMS:$PATH" "TEST_DIR=$TEST_DIR" "TEST_DEV=$TEST_DEV" \
		"SCRATCH_MNT=$SCRATCH_MNT" "SCRATCH_DEV=$SCRATCH_DEV" "FSTYP=$FSTYP" \
		"${additional[@]}" "MKFS_OPTIONS=$(user_mkfs_options)" "MOUNT_OPTIONS=${MOUNT_OPTIONS:+-o $MOUNT_OPTIONS}" ||
		give_up run-test "$REPLY"
	start_heartbeat
	[[ -e /run/unit/suspicious ]] && SUSPICIOUS=1
	tell_mounts
	# The test may format and mount SCRATCH_DEV itself.
	scratch_is_mounted && prove scratch "$SCRATCH_DEV" "$SCRATCH_MNT"
	ask note-scratch "$SCRATCH_DEV" "$FSTYP"
}

# As in xfstests: blocks of one page, which DAX needs, and no questions.
user_mkfs_options() {
	case $FSTYP in
	xfs) echo "-f $MKFS_OPTIONS" ;;
	*) echo "-F -b $PAGE_SIZE $MKFS_OPTIONS" ;;
	esac
}

tell_mounts() {
	local unseen=0
	$WATCHED && unseen=$(($(mounts_made) - $(mounts_accounted) - MOUNTS_BEFORE))
	send_seen
	event mounts "watched:=$WATCHED" "unseenMounts:=$unseen"
}

scratch_is_mounted() {
	local source target type rest
	while read -r source target type rest; do
		[[ $source == "$SCRATCH_DEV" && $target == "$SCRATCH_MNT" && $type == "$FSTYP" ]] && return
	done </proc/mounts
	return 1
}

# unmount_leftovers: unmounts what the test mounted over or besides the devices' mounts, last mount first.
# The proof after the test comes before this, so it includes these mounts.
unmount_leftovers() {
	local mounts=() source target rest index
	while read -r source target rest; do
		printf -v target '%b' "$target"
		case $source in
		"$TEST_DEV" | "$SCRATCH_DEV") mounts+=("$target") ;;
		*) [[ $target/ == "$TEST_DIR"/* || $target/ == "$SCRATCH_MNT"/* ]] && mounts+=("$target") ;;
		esac
	done </proc/mounts
	for ((index = ${#mounts[@]} - 1; index >= 0; index--)); do
		unmount_filesystem "${mounts[index]}" || {
			give_up unmount "${mounts[index]}, which the test left mounted: $REPLY"
			return 1
		}
	done
}
