#!/usr/bin/env bash
# `xfs_repair -n` prints one message in the middle of another, so no line of its output is sure to be whole.
#
# Version: xfsprogs 7.2.0-1 (Debian sid); 6.1.0-1 does the same.
# Seen: messages about inodes are written in two halves ("bad magic number 0x0 on inode 131," and
#   " would reset magic number"), and the threads that check the other allocation groups write in between:
#   "bad magic number 0x0 on inode 1310852,        - agno = 7". It takes damage in several groups, and occurs in
#   some runs only: the output of the same command about the same image differs from run to run.
# Expected: each message in a line of its own, in whatever order.
# Consequence: a filter that drops progress lines drops the message with them, and one that counts messages or
#   compares two outputs sees a difference where there is none.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid xfsprogs=7.2.0-1
run sid xfs_repair -V

groups=12
{
	printf '/dev/null\n1 1\nd--755 0 0\n'
	for ((n = 0; n < groups; n++)); do
		# Each directory goes to a group of its own, and its files go where it is.
		printf 'd%d d--755 0 0\na ---644 0 0 /dev/null\nb ---644 0 0 /dev/null\nc ---644 0 0 /dev/null\n$\n' "$n"
	done
	printf '$\n'
} >prototype
run sid mkfs.xfs -q -d file,size=800m,name=image,agcount=$groups -p prototype
for ((n = 0; n < groups; n++)); do
	run sid xfs_db -x -c "path /d$n/a" -c 'write -d core.magic 0' -c "path /d$n/b" -c 'write -d core.magic 0' \
		-c "path /d$n/c" -c 'write -d core.magic 0' image || true
done >xfs_db.log 2>&1
expect 'the inodes are damaged' grep -q 'core.magic = 0' xfs_db.log

# mixed FILE: lines in which something else follows the first half of a message.
mixed() { grep -E '^bad magic number 0x0 on inode [0-9]+,([^ ]| {2})' "$1"; }

for ((runs = 1; runs <= 500; runs++)); do
	run sid xfs_repair -n image >check.log 2>&1 || true
	if mixed check.log >mixed.log; then break; fi
done
expect 'a line with two messages within 500 runs' [ -s mixed.log ]
echo "    in run $runs: $(head -n 1 mixed.log)"
