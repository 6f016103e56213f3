# What the programs in guest-scripts/xfstests have in common. Each is started by a test or by `check`
# in the place of a real one.

shopt -s extglob
DAXREPRO=/daxrepro
. "$DAXREPRO/lib/channel.sh"

# Events go to a file: the channel belongs to the unit runner.
exec {CHANNEL}>>/run/unit/seen

# The real program of this name: the next in PATH.
real_program() {
	PATH=/usr/sbin:/usr/bin:/sbin:/bin type -P "$1"
}

# Sets REPLY to who started us: `test`; `check`, which checks and cleans up after the test; or `setup`,
# check before the test. Found by our ancestors, since a test inherits all that check exports.
phase() {
	local pid=$PPID words key value
	# A user's test has nothing before or after it.
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
	# Whose parent is gone was started by something that a test left behind.
	[[ $seqnum ]] && REPLY='test'
}
