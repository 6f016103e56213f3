# Looks at images that survived a power cut: they lie one after the other on the first disk, each
# IMAGE_SIZE bytes, the first at IMAGE_SIZE; the questions to each at the same number of MiB on the
# second disk (programs/survivor.c). Each is mounted as the next boot would mount it, without DAX:
# what is on the medium is the same either way.

run_survivors() {
	local number said
	said=$(modprobe loop 2>&1) || {
		give_up survivors "no loop devices: $said"
		return
	}
	# What was read of the disks before they had these contents.
	blockdev --flushbufs "$TEST_DEV" "$SCRATCH_DEV"
	mkdir -p /mnt/survivor
	for ((number = 1; number <= UNIT[SURVIVORS]; number++)); do
		look_at_survivor "$number" /dev/loop0 || return
	done
}

# Where a step fails, those after it are not taken, and their status is empty.
look_at_survivor() {
	local number=$1 loop=$2 repair='' mounted='' looked='' check='' said=''
	losetup -o $((number * UNIT[IMAGE_SIZE])) --sizelimit "${UNIT[IMAGE_SIZE]}" "$loop" "$TEST_DEV" 2>$SAID || {
		what_was_said
		give_up survivors "$loop: $REPLY"
		return 1
	}
	if [[ ${UNIT[RECOVERY]} == repair ]]; then
		e2fsck -f -y "$loop" >/run/unit/survivor-check 2>&1
		repair=$?
		((repair < 4)) || send_file "survivor-$number-check" /run/unit/survivor-check
	fi
	if [[ ! $repair ]] || ((repair < 4)); then
		mount -t "$FSTYP" "$loop" /mnt/survivor >$SAID 2>&1
		mounted=$?
		[[ $mounted -eq 0 ]] || said=$(<$SAID)
	fi
	if [[ $mounted == 0 ]]; then
		"$DAXREPRO/programs/survivor" "$SCRATCH_DEV" $((number << 20)) /mnt/survivor >/run/unit/survivor 2>$SAID
		looked=$?
		[[ $looked -eq 0 ]] || said=$(<$SAID)
		send_file "survivor-$number" /run/unit/survivor
		unmount_filesystem /mnt/survivor || {
			give_up survivors "$REPLY"
			return 1
		}
		if [[ ! $repair ]]; then
			check_filesystem "$loop" >/run/unit/survivor-check
			check=$?
			[[ $check -eq 0 ]] || send_file "survivor-$number-check" /run/unit/survivor-check
		fi
	fi
	losetup -d "$loop"
	event survivor "number:=$number" "repair=$repair" "mount=$mounted" "looked=$looked" "check=$check" "said=$said"
}

# The kernel's functions by their addresses, without the modules': `ADDRESS NAME`, the address without
# its first eight digits, which are all f.
send_symbols() {
	awk '$2 ~ /[tT]/ && NF == 3 && /^ffffffff/ { print substr($1, 9), $3 }' /proc/kallsyms >/run/unit/symbols
	send_file symbols /run/unit/symbols
}
