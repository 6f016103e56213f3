# What the built-in tests are written with. A test is a bash script that begins with
#
#     # summary: one line
#     # groups: auto quick …
#     # filesystems: ext4 xfs        (only where it makes no sense on others)
#
#     # What it guards against, and why that could happen.
#     . "$DAXREPRO/lib/test.sh"
#
# and finds TEST_DEV mounted on TEST_DIR. It ends with exit code 0 where all it checks holds. It
# leaves TEST_DEV mounted, or not: the runner copes.
#
# A process costs an emulated guest some 20 ms: work in bulk (`mkdir a b c`, one perl, `sha256sum *`).

set -u
. "$DAXREPRO/lib/channel.sh"
. "$DAXREPRO/lib/filesystem.sh"

# Exit codes, for the runner: 0 all held, 1 something did not, 77 not run, 99 the test itself broke.
# A failure counts wherever it was noted, in a subshell too; an end that nobody explained, such as
# an unset variable or a syntax error, is never the file system's fault.
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

# fail MESSAGE: notes a failure and goes on, so that one run shows all that is wrong.
fail() {
	echo "FAIL: $1"
	echo "${1//$'\n'/ }" >>/run/unit/failures
}

# notrun REASON: the test does not apply here.
notrun() {
	echo "$1" >/run/unit/notrun
	exit 77
}

# broken MESSAGE: the test itself could not do its work; no verdict.
broken() {
	echo "BROKEN: $1"
	exit 99
}

# must COMMAND...: what the file system under test has to be able to do. Where it cannot, there is
# nothing more to see.
must() {
	local said
	said=$("$@" 2>&1) && return
	short "$* failed: $said"
	fail "$REPLY"
	exit 1
}

# may_not COMMAND...: what has to be refused.
may_not() {
	"$@" >/dev/null 2>&1 || return 0
	fail "$* should have been refused"
}

# short TEXT: sets REPLY to it, cut to what a message can hold.
short() {
	REPLY=$1
	((${#REPLY} <= 300)) || REPLY="${REPLY:0:200} … ${REPLY: -80}"
}

# expect_same WHAT EXPECTED ACTUAL: compares texts. Shows the difference whole in the output, and
# its first lines in the message.
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

# expect_names DIRECTORY NAME...: exactly these are in it, in any order, each once.
expect_names() {
	local directory=$1 name found=() wrong=''
	local -A left=()
	shift
	for name; do left[$name]=1; done
	# By find and not by a pattern: a directory that cannot be read is not an empty one.
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

# list_tree DIRECTORY: a line for it and each file in it, with all that should outlive a mount but the
# times of access, then the checksums of the regular ones.
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

# remember_tree DIRECTORY and expect_tree DIRECTORY [WHEN]: nothing has changed since.
declare -A REMEMBERED_TREES=()
remember_tree() {
	REMEMBERED_TREES[$1]=$(list_tree "$1")
}

expect_tree() {
	expect_same "$1 ${2:-after remount}" "${REMEMBERED_TREES[$1]}" "$(list_tree "$1")"
}

# expect_contents WHEN: compares files with what they should hold, whole. A line of its input is a
# file and the parts of its content: `/mnt/test/file 5a*4k 00*8k` is 4 KiB of 0x5a, then zeros, and
# nothing more. What is expected is never made by the means that are under test.
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

# io FILE COMMAND...: commands of xfs_io on one file, which is made where it is missing; all in one
# process, so that a mapping stays alive between them. Each command is done to every file that is
# open: `close` before another `open`; a mapping outlives it. xfs_io does not stop at a command that
# fails, and its exit code does not tell of it: its commands are to be silent (`pwrite -q`), and what
# is said is a failure.
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

# The first commands of an `io` whose blocks shall have been used before, so that one that is given
# out without being zeroed shows it; on a fresh device it would be zero all the same. By the same
# process and in the same file, since block allocators go by both.
USED_BEFORE=('pwrite -q -S 0x5a 0 8m' fsync 'truncate 0')

# expect_sigbus FILE COMMAND...: the last of these commands of xfs_io touches what is not in the file
# any more, and the process is killed for it.
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

# Whether no file system of this kind is alive but those in /proc/mounts: each is counted as a user of
# its module. Where the kernel has it built in, there is no such count, and all that is known is that
# umount succeeded.
live_mounts_are_listed() {
	local source target type rest listed=0
	[[ $REFERENCES_UNMOUNTED ]] || return 0
	while read -r source target type rest; do
		[[ $type == "$FSTYP" ]] && ((++listed))
	done </proc/mounts
	module_references "$FSTYP"
	[[ $REPLY -eq $((REFERENCES_UNMOUNTED + listed)) ]]
}

# remount DEVICE DIRECTORY WHEN: everything in memory that was not written is lost; the new mount is
# proven again.
remount() {
	unmount_filesystem "$2" || broken "$1 cannot be unmounted: $REPLY"
	# A mount that lives on would keep its caches, and show what is not on the device.
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

# mount_scratch: a fresh file system on SCRATCH_DEV, mounted on SCRATCH_MNT and proven.
mount_scratch() {
	: >/run/unit/scratch-used
	make_filesystem "$SCRATCH_DEV" || broken "no file system on SCRATCH_DEV: $REPLY"
	mount_filesystem "$SCRATCH_DEV" "$SCRATCH_MNT" || broken "SCRATCH_DEV: $REPLY"
	prove scratch "$SCRATCH_DEV" "$SCRATCH_MNT"
}

remount_scratch() {
	remount "$SCRATCH_DEV" "$SCRATCH_MNT" scratch
}
