# Runs one test of a real xfstests tree by its own `check`, and collects the results. The host decides
# what they mean. The exit code of `check` alone proves nothing: it is 0 for a test that does not exist,
# and 1 for a broken set-up.
#
# Programs of ours (guest-scripts/xfstests) come first in PATH. They do what the real ones do, and record
# the evidence for the verdict: every mount, and every check of a file system. They write events to
# /run/unit/seen, which goes to the host when `check` has ended.

. "$DAXREPRO/lib/mounts.sh"

XFSTESTS=/var/lib/xfstests
XFSTESTS_RESULTS=/run/unit/results
# Part of the pattern in `times_of`.
shopt -s extglob

run_xfstests() {
	local started=$EPOCHREALTIME status timed_out=false
	prepare_xfstests || return
	watch_sync_calls || return
	(
		xfstests_environment
		without_channel exec timeout -k 5 "${UNIT[TIMEOUT]}" ./check "${UNIT[TEST]}"
	) >/run/unit/output 2>&1 </dev/null
	status=$?
	[[ $status -eq 124 || $status -eq 137 ]] && timed_out=true
	end_leftovers
	tell_xfstests "${UNIT[TEST]}" "$status" "$timed_out" "$started"
}

# What every call of `check` needs.
prepare_xfstests() {
	if [[ ! -f $XFSTESTS/check ]]; then
		event test "status:=127" "reason=the guest has no xfstests tree"
		return 1
	fi
	mkdir -p "$XFSTESTS_RESULTS" /run/unit/checked
	write_local_config >/run/unit/local.config
	: >/run/unit/seen
	echo "${UNIT[IMAGE_BYTES]}" >/run/unit/image-bytes
	# Users without privileges call mount too, and are refused.
	chmod 666 /run/unit/seen
	age_test_device >/run/unit/aged 2>&1 || {
		give_up age-test-device "$(</run/unit/aged)"
		return 1
	}
	bring_up_loopback
	watch_mounts && WATCHED=true || WATCHED=false
}

# For the process that executes `check`.
xfstests_environment() {
	cd "$XFSTESTS" || exit
	unset MOUNT_OPTIONS MKFS_OPTIONS REFERENCES_UNMOUNTED
	export HOST_OPTIONS=/run/unit/local.config PATH=$DAXREPRO/xfstests:$PATH
}

# tell_xfstests TEST STATUS TIMED_OUT STARTED [FIELD]...: reports the test's results and observations.
tell_xfstests() {
	local test=$1 status=$2 timed_out=$3 started=$4 unseen=0 files='' suffix
	local results=$XFSTESTS_RESULTS/$test
	shift 4
	$WATCHED && unseen=$(($(mounts_made) - $(mounts_accounted) - MOUNTS_BEFORE))
	send_seen
	send_results "$test"
	for suffix in full out.bad dmesg notrun core hints; do
		[[ -e $results.$suffix ]] && files+="$suffix "
	done
	event xfstests "status:=$status" "timedOut:=$timed_out" "files=$files" \
		"output=$(tail -c 16384 /run/unit/output)" \
		"notrun=$(head -c 1024 "$results.notrun" 2>/dev/null)" \
		"times=$(times_of "$test")" \
		"expectedOutput:=$([[ -f $XFSTESTS/tests/$test.out ]] && echo true || echo false)" \
		"difference=$(head -c 8192 /run/unit/diff 2>/dev/null)" \
		"dmesgFilter=$(head -c 4096 "${results%/*}/dmesg_filter" 2>/dev/null)" \
		"watched:=$WATCHED" "unseenMounts:=$unseen" \
		"microseconds:=$((${EPOCHREALTIME/./} - ${started/./}))" "$@"
}

# The test's lines in check.time, and in the file that `check` makes of it at its end.
times_of() {
	grep -hF "$1 " "$XFSTESTS_RESULTS/check.time" /tmp/+([0-9]).time 2>/dev/null | head -c 1024
}

# xfstests expects TEST_DEV to have a history: directories and files from before the test must still
# exist after it. Without them, a test that cleans up after itself would leave nothing in which a lost
# write could show.
age_test_device() {
	perl -e '
		use strict;
		my $top = shift;
		my $long = "a-link-that-does-not-fit-into-an-inode/" x 4;
		for my $name (map "$top/aged-$_", 1 .. 3) {
			for my $directory ($name, "$name/sub") {
				mkdir $directory or die "$directory: $!\n";
				for my $n (1 .. 4) {
					open my $file, ">", "$directory/file-$n" or die "$directory/file-$n: $!\n";
					print $file "daxrepro $n\n" x (400 * $n) or die "$directory/file-$n: $!\n";
					close $file or die "$directory/file-$n: $!\n";
				}
				link "$directory/file-1", "$directory/hard" or die "$directory/hard: $!\n";
				symlink $long, "$directory/soft" or die "$directory/soft: $!\n";
			}
		}' "$TEST_DIR"
}

# `check` reads this file again whenever a test reads common/rc, so it overrides the test's own settings.
# DAX is in both MOUNT_OPTIONS and TEST_FS_MOUNT_OPTS: after each check of TEST_DEV it is mounted again
# with the former.
write_local_config() {
	local mkfs=$MKFS_OPTIONS
	# On small devices mkfs would choose blocks smaller than a page, which do not support DAX.
	[[ $FSTYP == ext* ]] && mkfs="-b 4096 $mkfs"
	# shellcheck disable=SC2153 # lib/devices.sh sets TEST_DEV
	printf 'export %s=%q\n' FSTYP "$FSTYP" TEST_DEV "$TEST_DEV" TEST_DIR "$TEST_DIR" \
		SCRATCH_DEV "$SCRATCH_DEV" SCRATCH_MNT "$SCRATCH_MNT" RESULT_BASE "$XFSTESTS_RESULTS" \
		MKFS_OPTIONS "$mkfs" MOUNT_OPTIONS "${MOUNT_OPTIONS:+-o $MOUNT_OPTIONS}" \
		TEST_FS_MOUNT_OPTS "${MOUNT_OPTIONS:+-o $MOUNT_OPTIONS}" \
		KEEP_DMESG yes DIFF_LENGTH 0 \
		DAXREPRO_REFERENCES_UNMOUNTED "$REFERENCES_UNMOUNTED"
	# A value of "yes" for tests that would rather not run with external devices too.
	[[ ${TEST_LOGDEV-}${TEST_RTDEV-} ]] && printf 'export USE_EXTERNAL=yes\n'
	local variable
	for variable in ${UNIT[ADDITIONAL]}; do printf 'export %s=%q\n' "$variable" "${!variable}"; done
}

send_results() {
	local results=$XFSTESTS_RESULTS/$1 suffix
	send_file output /run/unit/output
	send_file local.config /run/unit/local.config
	for suffix in full out.bad dmesg notrun hints; do
		send_file "$suffix" "$results.$suffix"
	done
	if [[ -f $results.out.bad ]]; then
		diff -u "$XFSTESTS/tests/$1.out" "$results.out.bad" >/run/unit/diff 2>&1
		send_file diff /run/unit/diff
	fi
}
