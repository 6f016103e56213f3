# Runs one unit: module, file system, proof, test, second proof, check. It reports each step before the
# step starts, so that a crash is reported with its step.

. "$DAXREPRO/lib/filesystem.sh"
. "$DAXREPRO/lib/check-log.sh"

# Whether evidence may be needed. A unit that passes does without what is collected then.
SUSPICIOUS=''

# give_up STEP MESSAGE: reports why the unit has no verdict of its own.
give_up() {
	event gave-up "step=$1" "message=$2" "kernelLog=$(kernel_log)"
}

step() {
	event step "name=$1"
	# On the console too, so that the step of a crash can be found there.
	printf '<5>daxrepro: %s\n' "$1" >/dev/kmsg
}

# Makes the host's request known to tests.
use_request() {
	export FSTYP=${UNIT[FS]} MKFS_OPTIONS=${UNIT[MKFS_OPTIONS]} MOUNT_OPTIONS=${UNIT[MOUNT_OPTIONS]}
	export DAXREPRO_SEED=${UNIT[SEED]}
	export PAGE_SIZE TEST_DEV SCRATCH_DEV TEST_DIR SCRATCH_MNT REFERENCES_UNMOUNTED
	# shellcheck disable=SC2086 # several words
	name_additional ${UNIT[ADDITIONAL]}
}

run_unit() {
	use_request
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

	[[ ${UNIT[CLONES]} ]] && {
		continue_in_clone || return
	}

	[[ ${UNIT[POISON]} ]] && {
		. "$DAXREPRO/lib/media.sh"
		poison_test_device || {
			give_up poison "$REPLY"
			return
		}
	}

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

	[[ ${UNIT[POISON]} ]] && {
		step heal
		heal_test_device || {
			give_up heal "$REPLY"
			return
		}
	}
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

# The host saves the guest while it waits here. Each clone continues with a request of its own. What this
# guest saw before counts for no clone, so a clone looks again.
continue_in_clone() {
	local mounted="$FSTYP, $MKFS_OPTIONS, $MOUNT_OPTIONS"
	event mounted
	UNIT=()
	wait_for_unit
	use_request
	identity begin
	ask refresh "${UNIT[CLOCK]}" "${UNIT[ENTROPY]}" || {
		give_up refresh "$REPLY"
		return 1
	}
	[[ $mounted == "$FSTYP, $MKFS_OPTIONS, $MOUNT_OPTIONS" ]] || {
		give_up look "the file system was made and mounted for another unit ($mounted)"
		return 1
	}
	step look
	prove before "$TEST_DEV" "$TEST_DIR"
}

# Reports where code is in memory: each module, and the kernel, which KASLR moves at each boot.
send_code_addresses() {
	{
		cat /proc/modules
		grep -m 1 ' _text$' /proc/kallsyms
	} >/run/unit/modules
	send_file modules /run/unit/modules
}

# Runs a session with the devices as the host has filled them and nothing mounted. It proves nothing.
look() {
	. "$DAXREPRO/lib/shell.sh"
	step session
	run_shell
	ask kernel-log
}

# set_sysctl: sets kernel settings, KEY=VALUE, separated by tabs.
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

# Takes the contents that the host sends for the devices, in the order of its list, before any mount.
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

# Uses the module that the host sent, or else the kernel's own module or built-in file system.
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

# load_needed MODULE...: loads those that are not loaded yet.
load_needed() {
	local name missing=()
	for name; do [[ -d /sys/module/${name//-/_} ]] || missing+=("$name"); done
	((${#missing[@]} == 0)) || modprobe -q -a "${missing[@]}"
}

# identity EVENT [FIELD]...: sends the event with fields that identify the kernel and the boot.
identity() {
	local release boot_id
	read -r release </proc/sys/kernel/osrelease
	read -r boot_id </proc/sys/kernel/random/boot_id
	event "$@" "release=$release" "bootId=$boot_id"
}

# Runs the test with its output in a file, and with a time limit that leaves enough time to collect the
# results. It uses a subshell: starting timeout(1) and another bash would take 0.1 s under emulation. The
# reporter keeps the time.
run_test() {
	if [[ ${UNIT[SUITE]} == xfstests ]]; then
		. "$DAXREPRO/lib/xfstests.sh"
		# The host decides whether the test failed.
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
	# Tests of promises report their promises themselves.
	grep -q '^# groups:.*\<power-cut\>' "$test" || watch_sync_calls || return
	ask limit "${UNIT[TIMEOUT]}"
	(cd /tmp && . "$test") >/run/unit/output 2>&1 </dev/null
	status=$?
	end_leftovers
	[[ $status -eq 0 || $status -eq 77 ]] || SUSPICIOUS=1
	ask test "$status" "$((${EPOCHREALTIME/./} - ${started/./}))"
}

# Starts the reports of sync calls to the plugin that cuts the power (kernels/witness/sync-calls.c).
# Everything that the devices hold at this moment counts as being on the medium.
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

# Kills every process that the test left running, since it could keep the mounts busy. kill(2) spares
# process 1 and its caller. The caller is the reporter, which waits until all others are gone.
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
