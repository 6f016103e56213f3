# Shared by the programs in guest-scripts/xfstests. A test or `check` starts each of them in place of the
# real program.

shopt -s extglob
DAXREPRO=/daxrepro
. "$DAXREPRO/lib/channel.sh"

# Events go to a file, because the channel belongs to the unit runner.
exec {CHANNEL}>>/run/unit/seen

# Finds the real program of this name: the next one in PATH.
real_program() {
	PATH=/usr/sbin:/usr/bin:/sbin:/bin type -P "$1"
}

# Sets REPLY to the caller: `test`; `check`, which checks and cleans up after the test; or `setup`, which
# is `check` before the test. It looks at our ancestors, since a test inherits all variables of `check`.
phase() {
	local pid=$PPID words key value
	# A user's test has no steps before or after it.
	[[ $DAXREPRO_PHASE ]] && {
		REPLY=$DAXREPRO_PHASE
		return
	}
	REPLY=setup
	while ((pid > 1)); do
		mapfile -d '' -t words <"/proc/$pid/cmdline"
		if [[ " ${words[0]} ${words[1]} " == */tests/+([^/])/+([^/])\ * ||
			" ${words[0]} ${words[1]} " == *\ tests/+([^/])/+([^/])\ * ]]; then
			REPLY='test'
			return
		fi
		[[ " ${words[0]} ${words[1]} ${words[2]} " == *[\ /]check\ * ]] && {
			[[ $seqnum ]] && REPLY=check
			return
		}
		value=1
		while read -r key value _; do
			[[ $key == PPid: ]] && break
		done <"/proc/$pid/status"
		pid=$value
	done 2>/dev/null
	# If its parent is gone, a process that a test left behind started it.
	[[ $seqnum ]] && REPLY='test'
}
