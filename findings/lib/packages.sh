# shellcheck shell=bash
# What the scripts of this folder share: a temporary folder that is removed at the end, and
# Debian packages unpacked into it. Sourced, not run.
#
# Exit status of the scripts: 0 the tool behaves as described, 1 the behaviour changed, 77 the
# script cannot run here (a package is no longer on the mirror, say).
set -euo pipefail
shopt -s inherit_errexit

export LC_ALL=C TZ=UTC
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# skip REASON: the finding could be neither confirmed nor denied.
skip() {
	echo "Not run: $1" >&2
	exit 77
}

# unpack ROOT SUITE PACKAGE[=VERSION]...: the packages and all that they depend on, below ROOT.
# apt works on a state of its own, so it needs no root and leaves the system's state alone. The
# mirror is the one in the system's own apt configuration.
unpack() {
	local root=$1 suite=$2 mirror archive
	shift 2
	command -v apt-get >/dev/null || skip 'this needs apt, from Debian'
	[ "$(dpkg --print-architecture)" = amd64 ] || skip 'the packages are for amd64'
	# shellcheck disable=SC2016 # apt expands these
	mirror=$(apt-get indextargets --format '$(SITE) $(LABEL)' | awk '$2 == "Debian" && !seen++ { print $1 }')
	[ -n "$mirror" ] || skip "the system's apt configuration names no Debian mirror"

	mkdir -p apt/lists/partial apt/archives/partial "$root"
	rm -f apt/archives/*.deb
	: >apt/status
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >apt/list
	printf '%s "%s";\n' Dir::State "$work/apt" Dir::State::status "$work/apt/status" \
		Dir::Cache "$work/apt" Dir::Etc::sourcelist "$work/apt/list" Dir::Etc::sourceparts /dev/null \
		Dir::Etc::preferences /dev/null Dir::Etc::preferencesparts /dev/null \
		Acquire::Languages none APT::Sandbox::User root >apt/conf
	if ! (
		export APT_CONFIG=$work/apt/conf
		timeout 300 apt-get -qq update &&
			timeout 600 apt-get -qqy --no-install-recommends --download-only install "$@"
	) >apt/log 2>&1; then
		tail -n 3 apt/log >&2
		skip "apt cannot get $* from Debian's $suite; the mirror may hold a newer version by now"
	fi
	for archive in apt/archives/*.deb; do dpkg -x "$archive" "$root"; done
	rm -f apt/archives/*.deb
}

# run ROOT PROGRAM ARGUMENT...: an unpacked program with the libraries unpacked beside it, for two
# minutes at most.
run() {
	local root=$1 loader program libraries
	loader=$(find "$root" -path '*lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' -print -quit)
	program=$(find "$root" -path "*bin/$2" -print -quit)
	libraries=$root/usr/lib/x86_64-linux-gnu
	shift 2
	timeout 120 "$loader" --library-path "$libraries:$root/lib/x86_64-linux-gnu:$libraries/ceph" "$program" "$@"
}

# status_of LOG COMMAND...: prints the exit status; the command's output goes to the file LOG.
status_of() {
	local log=$1 status=0
	shift
	"$@" >"$log" 2>&1 </dev/null || status=$?
	echo "$status"
}

# show LOG PATTERN: the lines that matter, indented.
show() {
	grep -E -e "$2" "$1" | sed 's/^/    /' || true
}

# lacks LOG PATTERN: no line matches.
lacks() {
	! grep -Eqi -e "$2" "$1"
}

# expect DESCRIPTION COMMAND...: ends the script if the behaviour changed.
expect() {
	if "${@:2}" >/dev/null 2>&1; then
		echo "as described: $1"
	else
		echo "CHANGED: no longer so: $1" >&2
		exit 1
	fi
}
