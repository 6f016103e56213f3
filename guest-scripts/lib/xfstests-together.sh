# Runs many tests of xfstests in this guest by one call of `check`. That is faster than one call for each
# test, because the set-up of `check` takes as long as a test. Each test still has its own evidence.
# `check` calls our `logger` (guest-scripts/xfstests/logger) with the name of each test before it runs,
# and `logger` waits for us. We report the result of the previous test, and the host decides whether to
# continue. It continues only if nothing at all was found; otherwise the rest gets another guest.
#
# A test can affect the next one by the contents of TEST_DEV, as xfstests intends, by processes, by
# modules, by kernel settings, and by the kernel's memory.

# The length of the output of `check` before this test.
OUTPUT_BEFORE=0
# Our children that stay.
OURS=''

run_together() {
	local between before word rest current='' started=$EPOCHREALTIME first=${UNIT[TOGETHER]%% *} status=0
	prepare_xfstests || return
	before=$(our_children)
	mkfifo /run/unit/between /run/unit/answer
	exec {between}<>/run/unit/between
	(
		xfstests_environment
		export DAXREPRO_TOGETHER=1
		# shellcheck disable=SC2086 # several words
		without_channel ./check ${UNIT[TOGETHER]}
		echo "ended $?" >/run/unit/between
	) >/run/unit/check-output 2>&1 </dev/null {between}<&- &
	OURS="$! ${before//$'\n'/ }"
	disown
	while :; do
		word='' rest=''
		read -r -t "${UNIT[TIMEOUT]}" -u "$between" word rest
		case $word in
		next)
			if [[ $current ]]; then
				finish_test "$current" "$rest" "$started" || return
			else
				event over "test=" "next=$rest"
			fi
			wait_for_host
			[[ $current ]] && begin_test
			current=$rest started=$EPOCHREALTIME
			step 'test'
			echo go >/run/unit/answer
			;;
		ended)
			end_leftovers
			take_output
			tell_xfstests "${current:-$first}" "$rest" false "$started" "together:=true"
			return
			;;
		*)
			end_leftovers
			take_output
			tell_xfstests "${current:-$first}" 137 true "$started" "together:=true"
			return
			;;
		esac
	done
}

# finish_test TEST NEXT STARTED: runs between two tests. It mounts TEST_DEV again after its check.
finish_test() {
	local next=$2
	take_output next
	# Before we mount anything ourselves.
	tell_xfstests "$1" 0 false "$3" "together:=true"
	step prove
	if ! is_mounted "$TEST_DIR"; then
		mount_filesystem "$TEST_DEV" "$TEST_DIR" ||
			event log "text=TEST_DEV could not be mounted after the test: $REPLY"
	fi
	prove after "$TEST_DEV" "$TEST_DIR"
	checked_by_xfstests || check_between || return
	# The unit runner does this for the last test of a guest.
	if grep -q '"event":"check".*"status":[1-9]' /run/unit/seen || compgen -G '/run/unit/evidence-*' >/dev/null; then
		ask unmounts
	fi
	clear_away || next=''
	# The full stop keeps generic/100 from matching generic/1000.
	step "over $1."
	event over "test=$1" "next=$next"
}

# Removes what the test left behind that could affect the next one. Fails if something remains.
clear_away() {
	end_strays
	if is_mounted "$SCRATCH_MNT"; then
		unmount_filesystem "$SCRATCH_MNT" || return
	fi
	# Fails if anything still uses the device.
	make_filesystem "$SCRATCH_DEV"
}

# Processes that a test left running have us as their parent, like the few that we started. When one is
# killed, its children become ours, so this repeats until none is left.
end_strays() {
	local round pid found
	for round in {1..20}; do
		found=false
		for pid in $(our_children); do
			[[ " $OURS $BASHPID " == *" $pid "* ]] && continue
			kill -KILL "$pid" 2>/dev/null && found=true
		done
		$found || return
		sleep 0.1
	done
}

# Prints the ids of the processes whose parent is process 1.
our_children() {
	local status pid key value
	for status in /proc/[0-9]*/status; do
		while read -r key value _; do
			[[ $key == Pid: ]] && pid=$value
			[[ $key == PPid: ]] && break
		done <"$status"
		[[ $value == 1 ]] && echo "$pid"
	done 2>/dev/null
}

# Whether `check` itself found TEST_DEV clean after the test.
checked_by_xfstests() {
	grep -q "\"phase\":\"check\".*\"device\":\"$TEST_DEV\",\"status\":0,\"readOnly\":true" /run/unit/seen
}

# `check` examines TEST_DEV only after tests that say they use it.
check_between() {
	unmount_filesystem "$TEST_DIR" || {
		give_up unmount "$REPLY"
		return 1
	}
	check_device test "$TEST_DEV"
	mount_filesystem "$TEST_DEV" "$TEST_DIR" || {
		give_up mount "$REPLY"
		return 1
	}
}

# The host ends the guest or lets it continue.
wait_for_host() {
	local answer
	while read -r -u "$CHANNEL" answer; do
		[[ $answer == go ]] && return
	done
	sleep infinity # the host is gone
}

# Proves that both devices use DAX now. It runs before every test but the first, which has the proof that
# was taken when `check` set up.
begin_test() {
	rm -f /run/unit/checked/* /run/unit/evidence-* /run/unit/accounted /run/unit/scratch-proven /run/unit/diff
	: >/run/unit/seen
	prove before "$TEST_DEV" "$TEST_DIR"
	if mount_filesystem "$SCRATCH_DEV" "$SCRATCH_MNT"; then
		prove scratch "$SCRATCH_DEV" "$SCRATCH_MNT"
		unmount_filesystem "$SCRATCH_MNT" || event log "text=SCRATCH_DEV stays mounted: $REPLY"
	else
		event log "text=SCRATCH_DEV could not be mounted: $REPLY"
	fi
	MOUNTS_BEFORE=$(mounts_made)
}

# take_output [next]: extracts the output of `check` for this test. If a test follows, its name is in the
# last, unfinished line.
take_output() {
	local size last=''
	size=$(stat -c %s /run/unit/check-output)
	[[ $1 ]] && last=$(tail -c 400 /run/unit/check-output) && last=${last##*$'\n'}
	size=$((size - ${#last}))
	tail -c +$((OUTPUT_BEFORE + 1)) /run/unit/check-output |
		head -c $((size - OUTPUT_BEFORE)) >/run/unit/output
	OUTPUT_BEFORE=$size
}
