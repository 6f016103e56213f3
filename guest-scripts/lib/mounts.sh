# What is seen of mounts within a test. `mount` of guest-scripts/xfstests writes an event for each to
# /run/unit/seen, and the kernel counts all of them, also those of programs that do not call mount(8).

# Whether the kernel counts mounts, and how many it had counted before this test.
WATCHED=false MOUNTS_BEFORE=0

# The kernel itself counts how often it sets up a file system of this kind: a mount that no program of
# ours saw shows in the difference. Not every kernel has kprobes.
watch_mounts() {
	local setup
	mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
	# The last one is what 5.10's xfs has.
	for setup in "${FSTYP}_fill_super" xfs_fs_fill_super xfs_fc_fill_super; do
		[[ $setup == "$FSTYP"_* ]] || continue
		echo "p:daxrepro/mounts $setup" >/sys/kernel/tracing/kprobe_events &&
			echo 1 >/sys/kernel/tracing/events/daxrepro/mounts/enable && return
	done 2>/dev/null
	return 1
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
		printf '%s\n' "$line" >&"$CHANNEL"
	done </run/unit/seen
}
