#!/usr/bin/env bash
# Files that were synced with fsync are gone after a power cut, on dm-stripe whose stripes all lie on
# one device.
#
# Versions: Linux 7.2.13-1 (Debian sid, cloud-amd64), in a guest of the host's QEMU.
# Seen: ext4 on two stripes of 64 KiB. Five directories with a file each are made, each file is synced,
#   and the guest ends without an unmount. With both stripes on one disk, no file is there at the next
#   boot, and e2fsck says "needs_recovery flag is clear, but journal has data" even after a clean
#   unmount. With the stripes on two disks, all five files are there and e2fsck finds nothing.
# Expected: the same with one disk as with two. drivers/md/dm.c of 6.12 does not have the path below.
# Cause: dm_split_and_process_bio (drivers/md/dm.c) maps a write that carries a flush like any other
#   write if the table uses one device only. stripe_map takes each bio with a flush for an empty one, and
#   leaves its sector as it is: the data land at another place of the disk.
# Consequence: commit records of journals are lost, and other blocks are overwritten.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

release=7.2.13+deb14-cloud-amd64
command -v qemu-system-x86_64 >/dev/null || skip 'this needs qemu-system-x86_64'
unpack sid sid "linux-binary-$release=7.2.13-1" "linux-modules-$release=7.2.13-1" \
	busybox-static dmsetup e2fsprogs cpio xz-utils
qemu-system-x86_64 --version | sed -n 1p

# The guest: busybox, dmsetup and e2fsprogs with their libraries, and two modules.
mkdir -p guest/{bin,dev,etc,lib,lib64,mnt,modules,proc,sys,tools}
cp sid/usr/bin/busybox guest/bin/
cp sid/usr/sbin/{dmsetup,mke2fs,e2fsck} guest/tools/
cp sid/etc/mke2fs.conf guest/etc/
cp -L sid/usr/lib64/ld-linux-x86-64.so.2 guest/lib64/
cp -L sid/usr/lib/x86_64-linux-gnu/lib{c.so.6,m.so.6,devmapper.so.1.02.1,selinux.so.1,udev.so.1,pcre2-8.so.0} guest/lib/
cp -L sid/usr/lib/x86_64-linux-gnu/lib{ext2fs.so.2,e2p.so.2,com_err.so.2,blkid.so.1,uuid.so.1} guest/lib/
for module in block/virtio_blk md/dm-mod; do
	run sid xz -dc "sid/usr/lib/modules/$release/kernel/drivers/$module.ko.xz" >"guest/modules/${module#*/}.ko"
done
cat >guest/init <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for module in /modules/*; do insmod "$module"; done
export LD_LIBRARY_PATH=/lib

# Stripes on the halves of one disk, then on two disks.
for table in "one /dev/vda 0 /dev/vda 65536" "two /dev/vdb 0 /dev/vdc 0"; do
	set -- $table
	/tools/dmsetup create "$1" --noudevsync --table "0 131072 striped 2 128 $2 $3 $4 $5"
	/tools/dmsetup mknodes
	mkdir -p "/mnt/$1"
	if grep -q boot=first /proc/cmdline; then
		/tools/mke2fs -q -t ext4 "/dev/mapper/$1"
		mount -t ext4 "/dev/mapper/$1" "/mnt/$1"
		for number in 1 2 3 4 5; do
			mkdir "/mnt/$1/$number"
			echo content | dd of="/mnt/$1/$number/file" conv=fsync 2>/dev/null && echo "synced $1 $number"
		done
	else
		mount -t ext4 "/dev/mapper/$1" "/mnt/$1" &&
			echo "result $1 has $(cat "/mnt/$1"/*/file 2>/dev/null | grep -c content) files"
		umount "/mnt/$1"
		/tools/e2fsck -fn "/dev/mapper/$1" 2>&1 | grep -v '^$' | sed "s/^/e2fsck $1 /"
	fi
done
poweroff -n -f
INIT
chmod +x guest/init
(cd guest && find . | run ../sid cpio -o -H newc 2>/dev/null) | gzip -1 >initrd
truncate -s 64M vda vdb vdc

# boot WHICH: the guest's console goes to the file WHICH.log.
boot() {
	local disk disks=()
	for disk in vda vdb vdc; do disks+=(-drive "file=$disk,format=raw,if=virtio"); done
	timeout 300 qemu-system-x86_64 -M q35 -cpu max -m 512M -nodefaults -no-reboot -display none -serial stdio \
		-kernel "sid/usr/lib/modules/$release/vmlinuz" -initrd initrd "${disks[@]}" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check boot=$1" \
		</dev/null >console 2>&1 || skip 'the guest did not finish within five minutes'
	tr -d '\r' <console >"$1.log"
}

boot first
boot second
show second.log '^result|needs_recovery'
expect 'all ten files were synced' [ "$(grep -c '^synced' first.log)" -eq 10 ]
expect 'on two disks, all five are there' grep -q '^result two has 5 files' second.log
expect 'on two disks, e2fsck finds nothing' lacks second.log '^e2fsck two .*(recovery|journal|\?)'
expect 'on one disk, none is there' grep -q '^result one has 0 files' second.log
expect 'on one disk, e2fsck finds that the journal was not updated' \
	grep -q '^e2fsck one .*needs_recovery flag is clear, but journal has data' second.log
