#!/usr/bin/env bash
# A QEMU replay right after its recording takes another course, says nothing and exits 0, if the
# guest wrote to memory that is a shared file.
#
# Version: qemu-system-x86 1:11.1.3+ds-1 (Debian sid).
# Seen: the guest prints a byte of its memory and adds one to it. The recording prints "A", the
#   replay prints "B", the next replay "C". All exit 0 without a message. With share=off, recording
#   and replay both print the same letter.
# Expected: the replay repeats the recording, or stops with an error where it cannot.
# Consequence: an NVDIMM is such a file. The replay of a run that wrote to pmem begins with what the
#   recording left there, unless the file is put back first, and nothing tells the two apart.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid qemu-system-x86=1:11.1.3+ds-1
run sid qemu-system-x86_64 --version | sed -n 1p

# A firmware of 64 KiB in real mode. At its start:
#   xor ax,ax; mov ds,ax; mov al,[0x1000]; out 0xe9,al; inc byte [0x1000]; mov al,1; out 0x92,al; hlt
# 0xe9 is the debug console, 0x92 resets the machine. The reset vector jumps to the start.
head -c 65536 /dev/zero >firmware
printf '\x31\xc0\x8e\xd8\xa0\x00\x10\xe6\xe9\xfe\x06\x00\x10\xb0\x01\xe6\x92\xf4' |
	dd of=firmware conv=notrunc status=none
printf '\xea\x00\x00\x00\xf0' | dd of=firmware bs=1 seek=65520 conv=notrunc status=none

# guest record|replay SHARE: prints the letter the guest printed.
guest() {
	run sid qemu-system-x86_64 -machine pc,memory-backend=memory -m 16M \
		-object "memory-backend-file,id=memory,size=16M,mem-path=memory,share=$2" \
		-bios firmware -nodefaults -display none -no-reboot -debugcon file:console \
		-icount "shift=4,rr=$1,rrfile=recording" </dev/null >>qemu.log 2>&1
	cat console
}

truncate -s 16M memory
printf A | dd of=memory bs=1 seek=4096 conv=notrunc status=none

recorded=$(guest record on)
replayed=$(guest replay on)
again=$(guest replay on)
echo "    share=on: recorded $recorded, replayed $replayed, replayed again $again; all exited 0"
expect 'shared: the recording prints A' [ "$recorded" = A ]
expect 'shared: the replay prints B' [ "$replayed" = B ]
expect 'shared: the next replay prints C' [ "$again" = C ]
expect 'QEMU prints no message' [ ! -s qemu.log ]

recorded=$(guest record off)
replayed=$(guest replay off)
echo "    share=off: recorded $recorded, replayed $replayed"
expect 'private: the replay prints what the recording printed' [ "$recorded" = "$replayed" ]
