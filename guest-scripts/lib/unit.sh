# Runs one unit: the module, the file system, the proof, the test, the proof again, the check.
# Reports each step as it begins, so that a crash is told with the step it came in.

. "$DAXREPRO/lib/filesystem.sh"
. "$DAXREPRO/lib/check-log.sh"

# Whether there may be something to explain: what is asked for then a passing unit does without.
SUSPICIOUS=''

# give_up STEP MESSAGE: the unit has no verdict of its own, and says why.
give_up() {
	event gave-up "step=$1" "message=$2" "kernelLog=$(kernel_log)"
}

step() {
	event step "name=$1"
	# On the console too, so that a crash can be placed there.
	printf '<5>daxrepro: %s\n' "$1" >/dev/kmsg
}

run_unit() {
	export FSTYP=${UNIT[FS]} MKFS_OPTIONS=${UNIT[MKFS_OPTIONS]} MOUNT_OPTIONS=${UNIT[MOUNT_OPTIONS]}
	export DAXREPRO_SEED=${UNIT[SEED]}
	export PAGE_SIZE TEST_DEV SCRATCH_DEV TEST_DIR SCRATCH_MNT REFERENCES_UNMOUNTED
	local device addresses=()
	[[ ${UNIT[POWER_CUT]} ]] && for device in "$TEST_DEV" "$SCRATCH_DEV"; do
		addresses+=("$(<"/sys/block/${device##*/}/device/resource")")
	done
	identity begin "testDevice=$TEST_DEV" "scratchDevice=$SCRATCH_DEV" \
		"testAddress=${addresses[0]}" "scratchAddress=${addresses[1]}"
	ask refresh "${UNIT[CLOCK]}" "${UNIT[ENTROPY]}"
	ask boot-log
	echo 30 >/proc/sys/kernel/hung_task_timeout_secs 2>/dev/null

	if [[ $DEVICE_PROBLEM ]]; then
		give_up devices "$DEVICE_PROBLEM"
		return
	fi

	step load-module
	load_module || return
	module_references "$FSTYP"
	REFERENCES_UNMOUNTED=$REPLY

	if [[ ${UNIT[SURVIVORS]}${UNIT[SYMBOLS]} ]]; then
		. "$DAXREPRO/lib/survivors.sh"
		step survivors
		[[ ${UNIT[SYMBOLS]} ]] && send_symbols
		[[ ${UNIT[SURVIVORS]} ]] && run_survivors
		return
	fi

	[[ ${UNIT[SYSCTL]} ]] && {
		set_sysctl || return
	}

	begin_with_contents || return
	if [[ ${UNIT[LOOK]} ]]; then
		look
		return
	fi
	if [[ ${UNIT[CONTENTS]} != *test* ]]; then
		step mkfs
		make_filesystem "$TEST_DEV" || {
			give_up mkfs "$REPLY"
			return
		}
	fi

	[[ ${UNIT[TRACE]} ]] && ask trace "$TEST_DEV" "$SCRATCH_DEV"

	step mount
	mount_filesystem "$TEST_DEV" "$TEST_DIR" || {
		event mount-failed "message=$REPLY" "kernelLog=$(kernel_log)"
		return
	}
	prove before "$TEST_DEV" "$TEST_DIR"

	if [[ ${UNIT[SESSION]} ]]; then
		step scratch
		. "$DAXREPRO/lib/shell.sh"
		prepare_shell || return
		step session
		run_shell
	else
		step test
		run_test
	fi

	[[ $SYNC_CALLS_WATCHED ]] && echo end >$SYNC_CALLS

	step prove
	if ! is_mounted "$TEST_DIR"; then
		mount_filesystem "$TEST_DEV" "$TEST_DIR" ||
			event log "text=TEST_DEV could not be mounted after the test: $REPLY"
	fi
	prove after "$TEST_DEV" "$TEST_DIR"

	step unmount
	[[ ${UNIT[USER_TEST]} ]] && {
		unmount_leftovers || return
	}
	local directory
	for directory in "$SCRATCH_MNT" "$TEST_DIR"; do
		is_mounted "$directory" || continue
		unmount_filesystem "$directory" || {
			give_up unmount "$REPLY"
			return
		}
	done

	[[ ${UNIT[TRACE]} ]] && ask end-trace "$TEST_DEV" "$SCRATCH_DEV"

	check_device test "$TEST_DEV"
	[[ -e /run/unit/scratch-used ]] && check_device scratch "$SCRATCH_DEV"

	[[ ${UNIT[POWER_CUT]} ]] && send_code_addresses
	[[ $SUSPICIOUS ]] && ask unmounts
	ask kernel-log
}

# Where code is: each module, and the kernel, which KASLR puts elsewhere at each boot.
send_code_addresses() {
	{
		cat /proc/modules
		grep -m 1 ' _text$' /proc/kallsyms
	} >/run/unit/modules
	send_file modules /run/unit/modules
}

# A session with the devices as the host has filled them, and nothing mounted. It proves nothing.
look() {
	. "$DAXREPRO/lib/shell.sh"
	step session
	run_shell
	ask kernel-log
}

# set_sysctl: kernel settings, KEY=VALUE, between tabs.
set_sysctl() {
	local settings setting key file
	IFS=$'\t' read -r -a settings <<<"${UNIT[SYSCTL]}"
	for setting in "${settings[@]}"; do
		key=${setting%%=*}
		file=/proc/sys/${key//.//}
		REPLY=$({ printf '%s\n' "${setting#*=}" >"$file"; } 2>&1) && continue
		give_up sysctl "$setting cannot be set: ${REPLY##*: }"
		return 1
	done
}

# What the host sends for the devices, in the order in which it names them; before anything is mounted.
begin_with_contents() {
	local name device
	for name in ${UNIT[CONTENTS]}; do
		step "contents-$name"
		device=$TEST_DEV
		[[ $name == scratch ]] && device=$SCRATCH_DEV
		take_contents "$device" || {
			give_up "contents-$name" "$REPLY"
			return 1
		}
	done
}

# The module that the host sent, or else the kernel's own, or what is built in.
load_module() {
	local said
	if [[ ${UNIT[MODULE_BYTES]} ]]; then
		# shellcheck disable=SC2086 # several words
		load_needed ${UNIT[MODULE_NEEDS]}
		ask load-module "$FSTYP" "${UNIT[MODULE_BYTES]}" || {
			give_up load-module "$REPLY"
			return 1
		}
	elif said=$(modprobe "$FSTYP" 2>&1); then
		event module "name=$FSTYP" "sha256=" "origin=kernel"
	elif ! grep -qw "$FSTYP" /proc/filesystems; then
		give_up load-module "$said"
		return 1
	fi
}

# load_needed MODULE...: those that are not there yet.
load_needed() {
	local name missing=()
	for name; do [[ -d /sys/module/${name//-/_} ]] || missing+=("$name"); done
	((${#missing[@]} == 0)) || modprobe -q -a "${missing[@]}"
}

# identity EVENT [FIELD]...: the event, with what tells one kernel and one boot from another.
identity() {
	local release boot_id
	read -r release </proc/sys/kernel/osrelease
	read -r boot_id </proc/sys/kernel/random/boot_id
	event "$@" "release=$release" "bootId=$boot_id"
}

# Runs the test with its output in a file, and a time limit that leaves room to collect what it left
# behind. In a subshell: to start another bash, and timeout(1) before it, takes a tenth of a second
# under emulation. The reporter keeps the time.
run_test() {
	if [[ ${UNIT[SUITE]} == xfstests ]]; then
		. "$DAXREPRO/lib/xfstests.sh"
		# Whether it failed is the host's to tell.
		SUSPICIOUS=1
		if [[ ${UNIT[TOGETHER]} ]]; then
			. "$DAXREPRO/lib/xfstests-together.sh"
			run_together
		else
			run_xfstests
		fi
		return
	fi
	if [[ ${UNIT[USER_TEST]} ]]; then
		. "$DAXREPRO/lib/user-test.sh"
		run_user_test
		return
	fi
	local test=$DAXREPRO/tests/${UNIT[TEST]} started=$EPOCHREALTIME status
	if [[ ! -f $test ]]; then
		event test "status:=127" "reason=the guest has no test ${UNIT[TEST]}"
		return
	fi
	# Tests of promises tell them themselves.
	grep -q '^# groups:.*\<power-cut\>' "$test" || watch_sync_calls || return
	ask limit "${UNIT[TIMEOUT]}"
	(cd /tmp && . "$test") >/run/unit/output 2>&1 </dev/null
	status=$?
	end_leftovers
	[[ $status -eq 0 || $status -eq 77 ]] || SUSPICIOUS=1
	ask test "$status" "$((${EPOCHREALTIME/./} - ${started/./}))"
}

# Has sync calls told to what cuts the power (kernels/witness/sync-calls.c). What the devices hold before
# that is taken as being on the medium.
SYNC_CALLS=/proc/daxrepro_sync_calls SYNC_CALLS_WATCHED=''
watch_sync_calls() {
	[[ ${UNIT[POWER_CUT]} ]] || return 0
	local problem='the guest has no module daxrepro_witness'
	sync
	if [[ -e $SYNC_CALLS ]] && problem=$({ echo "$FSTYP ${TEST_DEV##*/} ${SCRATCH_DEV##*/}" >$SYNC_CALLS; } 2>&1); then
		SYNC_CALLS_WATCHED=1
		return
	fi
	give_up sync-calls "sync calls cannot be seen: $problem"
	return 1
}

# Whatever the test left running would keep the mounts busy. kill(2) spares process 1 and who calls it:
# the reporter, which waits until all are gone.
end_leftovers() {
	if reporter_lives; then
		ask end-all
	else
		kill -KILL -- -1
		start_reporter
	fi
	start_heartbeat
}

# check_device NAME DEVICE
check_device() {
	local status
	step "fsck-$1"
	without_channel check_filesystem "$2" >"/run/unit/fsck-$1"
	status=$?
	send_file "fsck-$1" "/run/unit/fsck-$1"
	event fsck "name=$1" "device=$2" "status:=$status"
	is_clean_check "$status" "/run/unit/fsck-$1" && return
	SUSPICIOUS=1
	ask evidence "$1" "$2" "/run/unit/fsck-$1" "$FSTYP" "${UNIT[IMAGE_BYTES]}"
}
