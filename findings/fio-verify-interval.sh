#!/usr/bin/env bash
# fio prints "verify failed", counts no error and exits 0, if the damage is not in the last interval.
#
# Version: fio 3.41-2 (Debian sid).
# Seen: with verify_interval=512 and 4 KiB blocks, one wrong byte in the data of a block's first
#   interval gives "crc32c: verify failed at file data offset 20480", then "err= 0" and exit status
#   0. The same byte in the block's last interval gives "err=84" and exit status 1. With
#   verify_fatal=1, or one interval a block, both exit 1.
# Expected: a failed verification is an error, wherever in the block it is.
# Consequence: seven of eight possible corruptions leave the exit status, the summary and the JSON
#   output of a verification run as those of a good one.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid fio=3.41-2
run sid fio --version

# fio_job OPTION...: writes, or verifies, the file "data" in blocks of 4 KiB.
fio_job() {
	run sid fio --name=job --filename=data --size=64k --bs=4k --rw=write --ioengine=psync --thread \
		--verify=crc32c "$@"
}

# verify_after_damage OFFSET OPTION...: prints the exit status of verifying with one byte changed.
verify_after_damage() {
	rm -f data
	fio_job --do_verify=0 "${@:2}" >/dev/null
	# Either of two values differs from what was there.
	cp data before
	printf '\125' | dd of=data bs=1 seek="$1" conv=notrunc status=none
	if cmp -s data before; then printf '\252' | dd of=data bs=1 seek="$1" conv=notrunc status=none; fi
	status_of verify.log fio_job --verify_only=1 "${@:2}"
}

# Block 5 begins at 20480, its last interval at 24064.
status=$(verify_after_damage 20600 --verify_interval=512)
show verify.log 'verify failed|err='
expect 'fio prints that the verification failed' grep -q 'verify failed' verify.log
expect 'damage in the first interval: err= 0' grep -q 'err= 0' verify.log
expect 'damage in the first interval: exit status 0' [ "$status" -eq 0 ]

status=$(verify_after_damage 24200 --verify_interval=512)
show verify.log 'verify failed|\): err='
expect 'damage in the last interval: exit status 1' [ "$status" -eq 1 ]
status=$(verify_after_damage 20600 --verify_interval=512 --verify_fatal=1)
expect 'damage in the first interval, with verify_fatal=1: exit status 1' [ "$status" -eq 1 ]
status=$(verify_after_damage 20600)
expect 'the same damage, one interval a block: exit status 1' [ "$status" -eq 1 ]
