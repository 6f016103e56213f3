# Media errors: blocks of a pmem device that the kernel refuses to read. Writing to its badblocks marks
# them (block/badblocks.c). No emulated device can clear them, so `heal` binds the driver anew, which
# forgets the marks and keeps the data. On failure the functions set REPLY to the reason.

# Sectors: the longest entry of the kernel's list. 6.1 puts the parts of a longer range in reverse order
# into its list, which is sorted, and then finds none of them.
LONGEST_MARK=512

# mark_poison DEVICE OFFSET LENGTH: whole sectors. The first and the last one must then be unreadable.
mark_poison() {
	local file=/sys/block/${1##*/}/badblocks said='' from=$(($2 / 512)) end=$((($2 + $3) / 512)) sector count
	[[ -w $file && ${1##*/} == pmem* ]] || {
		REPLY="$1 cannot be poisoned: it has no badblocks"
		return 1
	}
	for ((sector = from; sector < end; sector += count)); do
		count=$((end - sector < LONGEST_MARK ? end - sector : LONGEST_MARK))
		said=$({ echo "$sector $count" >"$file"; } 2>&1) || break
	done
	if [[ ! $said ]]; then
		for sector in $from $((end - 1)); do
			dd if="$1" of=/dev/null iflag=direct bs=512 skip="$sector" count=1 2>/dev/null || continue
			said="its sector $sector can still be read"
		done
	fi
	[[ ! $said ]] && return
	REPLY="$1 could not be poisoned at $2: $said"
	return 1
}

# heal DEVICE: removes all poison. It must not be mounted.
heal() {
	local node=${1##*/} device driver=/sys/bus/nd/drivers/nd_pmem tries
	local file=/sys/block/$node/badblocks
	device=$(cd -P "/sys/block/$node/device" && echo "${PWD##*/}")
	{ echo "$device" >$driver/unbind && echo "$device" >$driver/bind; } || {
		REPLY="$1 cannot be bound to its driver again"
		return 1
	}
	for tries in {1..50}; do
		[[ -b $1 && -e $file ]] && break
		sleep 0.1
	done
	[[ -b $1 && ! $(<"$file") ]] && return
	REPLY="$1 is still poisoned: $(cat "$file")"
	return 1
}

# poison_test_device: marks what the unit asks for, `OFFSET+LENGTH`, separated by blanks.
poison_test_device() {
	local range bytes
	bytes=$(($(blockdev --getsz "$TEST_DEV") * 512))
	for range in ${UNIT[POISON]}; do
		((${range%+*} + ${range#*+} <= bytes)) || {
			REPLY="$TEST_DEV has $bytes bytes, and none at $range"
			return 1
		}
		mark_poison "$TEST_DEV" "${range%+*}" "${range#*+}" || return
	done
	event poison "when=before" "marks=$(<"/sys/block/${TEST_DEV##*/}/badblocks")"
}

# heal_test_device: reports what is still poisoned, and removes it. What follows is about the file system.
heal_test_device() {
	event poison "when=after" "marks=$(<"/sys/block/${TEST_DEV##*/}/badblocks")"
	[[ ${UNIT[USER_TEST]} ]] && { unmount_leftovers || return; }
	if is_mounted "$TEST_DIR"; then unmount_filesystem "$TEST_DIR" || return; fi
	heal "$TEST_DEV"
}
