#!/usr/bin/env bash
# QEMU's blklogwrites logs a FUA write as a write and a flush, so its log hides missing flushes.
#
# Version: qemu-utils 1:11.1.3+ds-1 (Debian sid).
# Seen: a plain write, then a write with FUA, then nothing. The log, in the format of dm-log-writes,
#   has the entries: write (flags 0), write (flags 0), flush (flags 1). No entry has the FUA flag (2).
# Expected: write (0), write with FUA (2). FUA makes that one write durable and says nothing about
#   the writes before it; a flush makes all of them durable.
# Consequence: a replay of the log up to the flush always contains the earlier write. A file system
#   that commits with FUA and forgot to flush its data first passes every such replay.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid qemu-utils=1:11.1.3+ds-1
run sid qemu-io --version | sed -n 1p

truncate -s 16M disk log
run sid qemu-io -t writeback -c 'write -P 1 0 4k' -c 'write -f -P 2 4k 4k' -c 'sigraise 9' --image-opts \
	driver=blklogwrites,file.driver=file,file.filename=disk,log.driver=file,log.filename=log \
	>qemu.log 2>&1 || true
expect 'the disk has both writes' cmp -s -n 8192 disk <(
	head -c 4096 /dev/zero | tr '\0' '\1'
	head -c 4096 /dev/zero | tr '\0' '\2'
)

# number OFFSET: a little-endian 64-bit number of the log.
number() { od -A n -t u8 -j "$1" -N 8 log | tr -d ' '; }

# The superblock is sector 0: magic, version, entries. An entry is a sector with the place, the
# length in sectors, flags and the length of extra data; the data follow.
entries=$(number 16)
offset=512
flags=()
for ((i = 0; i < entries; i++)); do
	echo "    entry $i: sector $(number "$offset"), $(number $((offset + 8))) sectors, flags $(number $((offset + 16)))"
	flags+=("$(number $((offset + 16)))")
	offset=$((offset + 512 * (1 + $(number $((offset + 8))))))
done
expect 'the log has write, write, flush, and no FUA' [ "${flags[*]}" = '0 0 1' ]
