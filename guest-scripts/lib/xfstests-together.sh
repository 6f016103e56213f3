# Runs many tests of xfstests in this guest by one call of `check`, which is faster than a call for each:
# its set-up takes as long as a test. Each test has evidence of its own all the same. Between two tests
# stands a `logger` of ours (guest-scripts/xfstests/logger), to which `check` tells each test that it
# is about to run, and which waits for us: we tell the host what became of the test before, and the
# host says whether to go on. It does where nothing at all was found; else the rest gets another guest.
#
# What tests can leave to the next: the contents of TEST_DEV, as xfstests means it to be, processes,
# modules, settings of the kernel, and what the kernel itself remembers.

# The bytes of what `check` prints that were before this test.
OUTPUT_BEFORE=0
# The children of ours that stay.
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

# finish_test TEST NEXT STARTED: between two tests. TEST_DEV is mounted again, after its check.
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
	# Of the last test of a guest the unit runner asks.
	if grep -q '"event":"check".*"status":[1-9]' /run/unit/seen || compgen -G '/run/unit/evidence-*' >/dev/null; then
		ask unmounts
	fi
	clear_away || next=''
	# The stop tells generic/100 from generic/1000.
	step "over $1."
	event over "test=$1" "next=$next"
}

# What the test left behind that would be in the way of the next: it fails where something stays.
clear_away() {
	end_strays
	if is_mounted "$SCRATCH_MNT"; then
		unmount_filesystem "$SCRATCH_MNT" || return
	fi
	# Fails where anything still uses the device.
	make_filesystem "$SCRATCH_DEV"
}

# Processes that a test left running have us for their parent, as the few have that we started; their
# children then have, so until there is none.
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

# The processes whose parent is process 1, by their numbers.
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

# Whether `check` itself found TEST_DEV clean, after the test.
checked_by_xfstests() {
	grep -q "\"phase\":\"check\".*\"device\":\"$TEST_DEV\",\"status\":0,\"readOnly\":true" /run/unit/seen
}

# It checks TEST_DEV only after tests that say they use it.
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

# The host ends the guest, or lets it go on.
wait_for_host() {
	local answer
	while read -r -u "$CHANNEL" answer; do
		[[ $answer == go ]] && return
	done
	sleep infinity # the host is gone
}

# For every test but the first, which has what `check` did before it: proof that both devices are on
# DAX now.
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

# take_output [next]: what `check` has printed of this test. Where a test follows, its name stands in
# the last, unfinished line.
take_output() {
	local size last=''
	size=$(stat -c %s /run/unit/check-output)
	[[ $1 ]] && last=$(tail -c 400 /run/unit/check-output) && last=${last##*$'\n'}
	size=$((size - ${#last}))
	tail -c +$((OUTPUT_BEFORE + 1)) /run/unit/check-output |
		head -c $((size - OUTPUT_BEFORE)) >/run/unit/output
	OUTPUT_BEFORE=$size
}
