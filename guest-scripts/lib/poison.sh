# Poisoned memory for tests of the group poison, on SCRATCH_DEV (lib/media.sh).

. "$DAXREPRO/lib/media.sh"
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
	mark_poison "$SCRATCH_DEV" "$1" "${2:-4096}" || broken "$REPLY"
	grep -q "^$(($1 / 512)) " "$BADBLOCKS" || broken "$BADBLOCKS does not list the poison: $(<"$BADBLOCKS")"
}

# poison_file FILE OFFSET: poisons the page of the file.
poison_file() {
	block_of "$1" "$2"
	poison "$REPLY"
}

# heal_scratch: removes all poison. SCRATCH_DEV must not be mounted.
heal_scratch() {
	heal "$SCRATCH_DEV" || broken "$REPLY"
}

# expect_eio FILE COMMAND: this xfs_io command fails with EIO.
expect_eio() {
	local said
	said=$(xfs_io -c "$2" "$1" 2>&1)
	[[ $said == *'Input/output error'* ]] || fail "xfs_io on $1: '$2' should have been an I/O error: $said"
}
