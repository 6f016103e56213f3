# Runs one test of a real xfstests tree, by its own `check`, and gathers what it leaves behind. What
# that means is decided by the host; of `check`'s exit code alone nothing follows, since it is 0 for a
# test that does not exist and 1 for a broken set-up.
#
# In front of PATH stand programs of ours (guest-scripts/xfstests) that do what the real ones do and
# write down what the verdict rests on: every mount, and every check of a file system. They write
# events to /run/unit/seen, which go to the host when `check` has ended.

XFSTESTS=/var/lib/xfstests
XFSTESTS_RESULTS=/run/unit/results

run_xfstests() {
	local started=$EPOCHREALTIME status watched timed_out=false
	if [[ ! -f $XFSTESTS/check ]]; then
		event test "status:=127" "reason=the guest has no xfstests tree"
		return
	fi
	mkdir -p "$XFSTESTS_RESULTS" /run/unit/checked
	write_local_config >/run/unit/local.config
	: >/run/unit/seen
	# Users of no rights call mount too, to be refused.
	chmod 666 /run/unit/seen
	age_test_device >/run/unit/aged 2>&1 || {
		give_up age-test-device "$(</run/unit/aged)"
		return
	}
	watch_mounts && watched=true || watched=false
	(
		cd "$XFSTESTS" || exit
		unset MOUNT_OPTIONS MKFS_OPTIONS REFERENCES_UNMOUNTED
		export HOST_OPTIONS=/run/unit/local.config PATH=$DAXREPRO/xfstests:$PATH
		without_channel exec timeout -k 5 "${UNIT[TIMEOUT]}" ./check "${UNIT[TEST]}"
	) >/run/unit/output 2>&1 </dev/null
	status=$?
	[[ $status -eq 124 || $status -eq 137 ]] && timed_out=true
	end_leftovers
	local unseen=0
	$watched && unseen=$(($(mounts_made) - $(mounts_accounted)))
	send_seen
	send_results
	local results=$XFSTESTS_RESULTS/${UNIT[TEST]} files='' suffix
	for suffix in full out.bad dmesg notrun core hints; do
		[[ -e $results.$suffix ]] && files+="$suffix "
	done
	event xfstests "status:=$status" "timedOut:=$timed_out" "files=$files" \
		"output=$(tail -c 16384 /run/unit/output)" \
		"notrun=$(head -c 1024 "$results.notrun" 2>/dev/null)" \
		"times=$(grep -F "${UNIT[TEST]} " "$XFSTESTS_RESULTS/check.time" 2>/dev/null | head -c 1024)" \
		"expectedOutput:=$([[ -f $XFSTESTS/tests/${UNIT[TEST]}.out ]] && echo true || echo false)" \
		"difference=$(head -c 8192 /run/unit/diff 2>/dev/null)" \
		"dmesgFilter=$(head -c 4096 "${results%/*}/dmesg_filter" 2>/dev/null)" \
		"watched:=$watched" "unseenMounts:=$unseen" \
		"microseconds:=$((${EPOCHREALTIME/./} - ${started/./}))"
}

# xfstests means TEST_DEV to have a history: directories and files that were there before the test have
# to be there after it. A test that cleans up after itself would else leave nothing that a lost write
# could be seen in.
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

# check reads it again wherever a test reads common/rc anew, so it overrides what a test had set.
# DAX is in MOUNT_OPTIONS and in TEST_FS_MOUNT_OPTS: after each check of TEST_DEV it is mounted
# again with the first.
write_local_config() {
	local mkfs=$MKFS_OPTIONS
	# Small devices would get blocks smaller than a page, and those have no DAX.
	[[ $FSTYP == ext* ]] && mkfs="-b 4096 $mkfs"
	printf 'export %s=%q\n' FSTYP "$FSTYP" TEST_DEV "$TEST_DEV" TEST_DIR "$TEST_DIR" \
		SCRATCH_DEV "$SCRATCH_DEV" SCRATCH_MNT "$SCRATCH_MNT" RESULT_BASE "$XFSTESTS_RESULTS" \
		MKFS_OPTIONS "$mkfs" MOUNT_OPTIONS "${MOUNT_OPTIONS:+-o $MOUNT_OPTIONS}" \
		TEST_FS_MOUNT_OPTS "${MOUNT_OPTIONS:+-o $MOUNT_OPTIONS}" \
		KEEP_DMESG yes DIFF_LENGTH 0 \
		DAXREPRO_REFERENCES_UNMOUNTED "$REFERENCES_UNMOUNTED"
}

# The kernel itself counts how often it sets up a file system of this kind: a mount that no program of
# ours saw shows in the difference. Not every kernel has kprobes.
watch_mounts() {
	local setup
	case $FSTYP in
	ext2) setup=ext2_fill_super ;;
	ext4) setup=ext4_fill_super ;;
	xfs) setup=xfs_fs_fill_super ;;
	esac
	{
		mount -t tracefs tracefs /sys/kernel/tracing
		echo "p:daxrepro/mounts $setup" >/sys/kernel/tracing/kprobe_events &&
			echo 1 >/sys/kernel/tracing/events/daxrepro/mounts/enable
	} 2>/dev/null
}

# What the kernel has counted since.
mounts_made() {
	local name hits rest
	while read -r name hits rest; do
		[[ $name == mounts ]] && echo "$hits"
	done </sys/kernel/tracing/kprobe_profile 2>/dev/null
}

# Those that our own `mount` has seen.
mounts_accounted() {
	local count sum=0
	[[ -e /run/unit/accounted ]] && while read -r count; do
		((sum += count))
	done </run/unit/accounted
	echo "$sum"
}

# What our programs wrote down; its last line may have been cut off by the end of its writer.
send_seen() {
	local file line sent=0
	for file in /run/unit/checked/*; do
		[[ -e $file && $((++sent)) -le 60 ]] && send_file "${file##*/}" "$file"
	done
	while IFS= read -r line; do
		printf '%s\n' "$line" >&$CHANNEL
	done </run/unit/seen
}

send_results() {
	local results=$XFSTESTS_RESULTS/${UNIT[TEST]} suffix
	send_file output /run/unit/output
	send_file local.config /run/unit/local.config
	for suffix in full out.bad dmesg notrun hints; do
		send_file "$suffix" "$results.$suffix"
	done
	if [[ -f $results.out.bad ]]; then
		diff -u "$XFSTESTS/tests/${UNIT[TEST]}.out" "$results.out.bad" >/run/unit/diff 2>&1
		send_file diff /run/unit/diff
	fi
}
