# The library of the built-in tests. A test is a bash script that starts with
#
#     # summary: one line
#     # groups: auto quick …
#     # filesystems: ext4 xfs        (only if it makes no sense on others)
#
#     # What it guards against, and how that could happen.
#     . "$DAXREPRO/lib/test.sh"
#
# It finds TEST_DEV mounted on TEST_DIR. It exits with 0 if everything that it checks holds. It may
# leave TEST_DEV mounted or unmounted.
#
# Each process costs some 20 ms in an emulated guest, so do work in bulk (`mkdir a b c`, one perl,
# `sha256sum *`).

set -u
. "$DAXREPRO/lib/channel.sh"
. "$DAXREPRO/lib/filesystem.sh"

# Exit codes for the runner: 0 passed, 1 failed, 77 not run, 99 the test itself is broken. A failure
# counts even if a subshell noted it. An unexplained exit, such as an unset variable or a syntax error,
# is never blamed on the file system.
trap 'end_test $?' EXIT
end_test() {
	local failed=0
	[[ -s /run/unit/failures ]] && failed=1
	case $1 in
	0) exit $failed ;;
	77 | 99) exit "$1" ;;
	*)
		[[ $failed -eq 1 ]] && exit 1
		echo "BROKEN: the test ended with exit code $1 and no reason"
		exit 99
		;;
	esac
}

# fail MESSAGE: notes a failure and continues, so that one run shows all failures.
fail() {
	echo "FAIL: $1"
	echo "${1//$'\n'/ }" >>/run/unit/failures
}

# notrun REASON: the test does not apply here.
notrun() {
	echo "$1" >/run/unit/notrun
	exit 77
}

# broken MESSAGE: the test itself could not work, so there is no verdict.
broken() {
	echo "BROKEN: $1"
	exit 99
}

# must COMMAND...: runs a command that the file system under test has to support. If it fails, the test
# stops here.
must() {
	local said
	said=$("$@" 2>&1) && return
	short "$* failed: $said"
	fail "$REPLY"
	exit 1
}

# may_not COMMAND...: runs a command that has to fail.
may_not() {
	"$@" >/dev/null 2>&1 || return 0
	fail "$* should have been refused"
}

# short TEXT: sets REPLY to the text, cut to the length of a message.
short() {
	REPLY=$1
	((${#REPLY} <= 300)) || REPLY="${REPLY:0:200} … ${REPLY: -80}"
}

# expect_same WHAT EXPECTED ACTUAL: compares texts. The whole difference goes to the output, and its
# first lines go into the message.
expect_same() {
	[[ $2 == "$3" ]] && return
	local line shown=0 total message=$1
	printf '%s\n' "$2" >/tmp/expected-text
	printf '%s\n' "$3" >/tmp/actual-text
	diff -U 0 /tmp/expected-text /tmp/actual-text | sed '1,2d; /^@@/d' >/tmp/difference
	echo "$1: expected -, found +"
	cut -c 1-400 /tmp/difference
	total=$(wc -l </tmp/difference)
	while ((shown++ < 3)) && IFS= read -r line; do
		short "$line"
		message+=" [$REPLY]"
	done </tmp/difference
	((total > 3)) && message+=" and $((total - 3)) more lines"
	fail "$message"
}

# expect_names DIRECTORY NAME...: the directory contains exactly these names, in any order, each once.
expect_names() {
	local directory=$1 name found=() wrong=''
	local -A left=()
	shift
	for name; do left[$name]=1; done
	# Uses find instead of a pattern: a directory that cannot be read must not look empty.
	mapfile -d '' -t found < <(find "$directory" -mindepth 1 -maxdepth 1 -printf '%f\0' 2>&1)
	for name in "${found[@]}"; do
		if [[ ${left[$name]:-} ]]; then
			unset "left[\$name]"
		else
			wrong+=" unexpected [$name]"
		fi
	done
	for name in "${!left[@]}"; do wrong+=" missing [$name]"; done
	[[ $wrong ]] || return 0
	echo "names in $directory:$wrong"
	short "$wrong"
	fail "names in $directory:$REPLY"
}

# list_tree DIRECTORY: prints a line for it and for each file in it, with everything that should survive
# a remount except the access times, then the checksums of the regular files.
list_tree() {
	(
		shopt -s globstar dotglob nullglob
		cd "$1" || exit
		all=(. **) regular=()
		for file in "${all[@]}"; do
			[[ -f $file && ! -L $file && -s $file ]] && regular+=("$file")
		done
		stat -c '%N: %F, mode %a, owner %u:%g, links %h, size %s, device %t:%T, modified %Y' \
			-- "${all[@]}"
		((${#regular[@]} == 0)) || sha256sum -- "${regular[@]}"
	) 2>&1
}

# remember_tree DIRECTORY and expect_tree DIRECTORY [WHEN]: nothing has changed in between.
declare -A REMEMBERED_TREES=()
remember_tree() {
	REMEMBERED_TREES[$1]=$(list_tree "$1")
}

expect_tree() {
	expect_same "$1 ${2:-after remount}" "${REMEMBERED_TREES[$1]}" "$(list_tree "$1")"
}

# expect_contents WHEN: compares whole files with what they should contain. Each line of its input is a
# file and the parts of its content: `/mnt/test/file 5a*4k 00*8k` is 4 KiB of 0x5a, then 8 KiB of zeros,
# and nothing more. The expected content is never produced by the operations under test.
expect_contents() {
	local said line
	said=$(perl -e '
		my ($when, $checked) = (shift, 0);
		while (<STDIN>) {
			my ($file, @parts) = split or next;
			my $expected = "";
			for (@parts) {
				my ($byte, $count, $unit) = /^([0-9a-f]{2})\*(\d+)(k?)$/ or die "part $_\n";
				$expected .= chr(hex $byte) x ($count * ($unit ? 1024 : 1));
			}
			$checked++;
			my ($in, $found);
			{ local $/; $found = <$in> if open $in, "<", $file; }
			if (!defined $found) { print "content of $file $when: $!\n"; next }
			next if $found eq $expected;
			my ($length, $wanted) = (length $found, length $expected);
			my @wrong = ($length == $wanted ? () : "$length bytes, not $wanted");
			for (my $at = 0; $at < $length && $at < $wanted; $at += 4096) {
				my $different = substr($found, $at, 4096) ^ substr($expected, $at, 4096);
				$different =~ /[^\0]/g or next;
				my $byte = $at + pos($different) - 1;
				last if $byte >= $length || $byte >= $wanted;
				push @wrong, sprintf "byte %d (page %d) is 0x%02x, not 0x%02x", $byte, $at / 4096,
					ord substr($found, $byte, 1), ord substr $expected, $byte, 1;
			}
			my $more = @wrong > 3 ? " and " . (@wrong - 3) . " more pages" : "";
			print "content of $file $when: ", join(", ", grep defined, @wrong[0 .. 2]), "$more\n";
		}
		die "nothing to compare\n" if !$checked;
		print "compared\n";' -- "$1" 2>&1)
	[[ ${said##*$'\n'} == compared ]] || broken "the contents $1 could not be compared: $said"
	while IFS= read -r line; do
		[[ $line == compared ]] || fail "$line"
	done <<<"$said"
}

# io FILE COMMAND...: runs commands of xfs_io on one file, which is created if it does not exist. All run
# in one process, so that a mapping stays alive between them. Each command applies to every open file:
# use `close` before another `open` (a mapping survives it). xfs_io does not stop at a failed command,
# and its exit code does not show the failure. So commands must be silent (`pwrite -q`), and any output
# counts as a failure.
io() {
	local file=$1 command commands=() said status
	shift
	for command; do commands+=(-c "$command"); done
	said=$(xfs_io -f "${commands[@]}" "$file" 2>&1)
	status=$?
	[[ $said == *'command "'*' not found'* ]] && broken "$said"
	[[ $status -eq 0 && ! $said ]] && return
	short "xfs_io on $file: $said (exit code $status)"
	fail "$REPLY"
}

# The first commands of an `io` that needs used blocks: they make a block that is allocated without being
# zeroed visible. On a new device it would be zero anyway. The same process does it in the same file,
# since block allocators consider both.
USED_BEFORE=('pwrite -q -S 0x5a 0 8m' fsync 'truncate 0')

# expect_sigbus FILE COMMAND...: the last of these xfs_io commands touches a part that is no longer in
# the file, and the signal kills the process.
expect_sigbus() {
	local file=$1 command commands=() said status
	shift
	for command; do commands+=(-c "$command"); done
	said=$(xfs_io -f "${commands[@]}" "$file" 2>&1)
	status=$?
	[[ $status -eq $((128 + $(kill -l BUS))) ]] ||
		fail "xfs_io on $file: '$command' should have been a bus error, exit code is $status $said"
}

# expect_extents FILE WHEN EXTENT...: where the file has data and holes, as `data 0`, `hole 65536`.
expect_extents() {
	local file=$1 when=$2
	shift 2
	expect_same "data and holes of $file $when" "$(printf '%s\n' "$@")" \
		"$(xfs_io -r -c 'seek -a -r 0' "$file" 2>&1 |
			sed -n '/^Whence/d; s/^DATA[[:space:]]*/data /; s/^HOLE[[:space:]]*/hole /; p')"
}

# Whether /proc/mounts lists every live file system of this kind: each one counts as a user of its
# module. A built-in file system has no such count; then all that is known is that umount succeeded.
live_mounts_are_listed() {
	local source target type rest listed=0
	[[ $REFERENCES_UNMOUNTED ]] || return 0
	while read -r source target type rest; do
		[[ $type == "$FSTYP" ]] && ((++listed))
	done </proc/mounts
	module_references "$FSTYP"
	[[ $REPLY -eq $((REFERENCES_UNMOUNTED + listed)) ]]
}

# remount DEVICE DIRECTORY WHEN: discards everything in memory that was not written. The new mount is
# proved again.
remount() {
	unmount_filesystem "$2" || broken "$1 cannot be unmounted: $REPLY"
	# A mount that lives on would keep its caches, and they would hide what the device lacks.
	live_mounts_are_listed || broken "$1 is still in use after its unmount"
	mount_filesystem "$1" "$2" || {
		fail "$1 cannot be mounted again: $REPLY"
		exit 1
	}
	prove "$3" "$1" "$2"
}

remount_test() {
	remount "$TEST_DEV" "$TEST_DIR" remount
}

# mount_scratch: makes a new file system on SCRATCH_DEV, mounts it on SCRATCH_MNT and proves the mount.
mount_scratch() {
	: >/run/unit/scratch-used
	make_filesystem "$SCRATCH_DEV" || broken "no file system on SCRATCH_DEV: $REPLY"
	mount_filesystem "$SCRATCH_DEV" "$SCRATCH_MNT" || broken "SCRATCH_DEV: $REPLY"
	prove scratch "$SCRATCH_DEV" "$SCRATCH_MNT"
}

remount_scratch() {
	remount "$SCRATCH_DEV" "$SCRATCH_MNT" scratch
}
