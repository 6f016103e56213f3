# Poisoned memory for tests of the group poison, on SCRATCH_DEV: blocks that the kernel treats as having a
# media error. Writing to /sys/block/NAME/badblocks marks them (block/badblocks.c); the pmem driver then
# refuses to read them. No emulated device can clear them, so `heal_scratch` binds the driver anew, which
# forgets the marks and keeps the data.

POISON_NODE=${SCRATCH_DEV##*/}
BADBLOCKS=/sys/block/$POISON_NODE/badblocks
[[ -w $BADBLOCKS && $POISON_NODE == pmem* ]] || notrun "$SCRATCH_DEV cannot be poisoned: it has no badblocks"

# The reporter tells the host: the kernel's errors about SCRATCH_DEV are then what the test expects.
expect_media_errors() {
	echo media-errors >/run/unit/provokes
}

# block_of FILE OFFSET: sets REPLY to the byte of the device that holds this byte of the file.
block_of() {
	REPLY=$(perl -e 'require "$ENV{DAXREPRO}/lib/data.pl"; open my $file, "<", shift or die "$!\n";
		print +(Data::place_of($file, shift))[0]' "$1" "$2" 2>&1)
	[[ $REPLY =~ ^[0-9]+$ ]] || broken "the place of $1 is not known: $REPLY"
}

# poison OFFSET [LENGTH]: bytes of SCRATCH_DEV.
poison() {
	local said
	said=$({ echo "$(($1 / 512)) $((${2:-4096} / 512))" >"$BADBLOCKS"; } 2>&1) ||
		broken "$SCRATCH_DEV could not be poisoned at $1: $said"
	grep -q "^$(($1 / 512)) " "$BADBLOCKS" || broken "$BADBLOCKS does not list the poison: $(<"$BADBLOCKS")"
}

# poison_file FILE OFFSET: poisons the page of the file.
poison_file() {
	block_of "$1" "$2"
	poison "$REPLY"
}

# heal_scratch: removes all poison. SCRATCH_DEV must not be mounted.
heal_scratch() {
	local device driver=/sys/bus/nd/drivers/nd_pmem tries
	device=$(cd -P "/sys/block/$POISON_NODE/device" && echo "${PWD##*/}")
	{ echo "$device" >$driver/unbind && echo "$device" >$driver/bind; } ||
		broken "$SCRATCH_DEV cannot be bound to its driver again"
	for tries in {1..50}; do
		[[ -b $SCRATCH_DEV && -e $BADBLOCKS ]] && break
		sleep 0.1
	done
	[[ -b $SCRATCH_DEV && ! $(<"$BADBLOCKS") ]] || broken "$SCRATCH_DEV is still poisoned: $(cat "$BADBLOCKS")"
}

# expect_eio FILE COMMAND: this xfs_io command fails with EIO.
expect_eio() {
	local said
	said=$(xfs_io -c "$2" "$1" 2>&1)
	[[ $said == *'Input/output error'* ]] || fail "xfs_io on $1: '$2' should have been an I/O error: $said"
}
