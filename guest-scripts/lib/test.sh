# What the built-in tests are written with. A test is a bash script that begins with
#
#     # summary: one line
#     # groups: auto quick …
#     . "$DAXREPRO/lib/test.sh"
#
# and finds TEST_DEV mounted on TEST_DIR. It ends with exit code 0 where all it checks holds. It
# leaves TEST_DEV mounted, or not: the runner copes.

set -u
. "$DAXREPRO/lib/channel.sh"
. "$DAXREPRO/lib/filesystem.sh"

# fail MESSAGE: notes a failure and goes on, so that one run shows all that is wrong.
fail() {
	echo "FAIL: $1"
	echo "$1" >>/run/unit/failures
	FAILED=1
}
FAILED=0
trap 'status=$?; [ $status -eq 0 ] && exit $FAILED' EXIT

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

# remount_test: everything in memory that was not written is lost; the new mount is proven again.
remount_test() {
	local said
	said=$(unmount_filesystem "$TEST_DIR") || broken "TEST_DEV cannot be unmounted: $said"
	said=$(mount_filesystem "$TEST_DEV" "$TEST_DIR") || {
		fail "TEST_DEV cannot be mounted again: $said"
		exit 1
	}
	prove remount "$TEST_DEV" "$TEST_DIR"
}

# mount_scratch: a fresh file system on SCRATCH_DEV, mounted on SCRATCH_MNT and proven.
mount_scratch() {
	local said
	: >/run/unit/scratch-used
	said=$(make_filesystem "$SCRATCH_DEV") || broken "no file system on SCRATCH_DEV: $said"
	said=$(mount_filesystem "$SCRATCH_DEV" "$SCRATCH_MNT") || broken "SCRATCH_DEV: $said"
	prove scratch "$SCRATCH_DEV" "$SCRATCH_MNT"
}
