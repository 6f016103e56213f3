# Records the mounts during a test. `mount` of guest-scripts/xfstests writes an event for each to
# /run/unit/seen. The kernel counts all of them, including those of programs that do not use mount(8).

# Whether the kernel counts mounts, and its count before this test.
WATCHED=false MOUNTS_BEFORE=0

# The kernel itself counts how often it sets up a file system of this kind. If that is more than our
# programs recorded, a mount went unobserved. Not every kernel has kprobes.
watch_mounts() {
	local setup
	mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
	# The last one is the function in 5.10's xfs.
	for setup in "${FSTYP}_fill_super" xfs_fs_fill_super xfs_fc_fill_super; do
		[[ $setup == "$FSTYP"_* ]] || continue
		echo "p:daxrepro/mounts $setup" >/sys/kernel/tracing/kprobe_events &&
			echo 1 >/sys/kernel/tracing/events/daxrepro/mounts/enable && return
	done 2>/dev/null
	return 1
}

# The mounts that the kernel has counted since.
mounts_made() {
	local name hits rest
	while read -r name hits rest; do
		[[ $name == mounts ]] && echo "$hits"
	done </sys/kernel/tracing/kprobe_profile 2>/dev/null
}

# The mounts that our own `mount` recorded.
mounts_accounted() {
	local count sum=0
	[[ -e /run/unit/accounted ]] && while read -r count; do
		((sum += count))
	done </run/unit/accounted
	echo "$sum"
}

# Sends what our programs recorded. The last line may be incomplete if its writer was killed.
send_seen() {
	local file line sent=0
	for file in /run/unit/checked/*; do
		[[ -e $file && $((++sent)) -le 60 ]] && send_file "${file##*/}" "$file"
	done
	while IFS= read -r line; do
		printf '%s\n' "$line" >&"$CHANNEL"
	done </run/unit/seen
}
