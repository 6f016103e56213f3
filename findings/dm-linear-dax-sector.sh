#!/usr/bin/env bash
# The same file has other content with DAX than without, on a dm-linear device that begins at an odd
# sector of a pmem device.
#
# Versions: Linux 7.2.13-1 (Debian sid, cloud-amd64), in a guest of the host's QEMU.
# Seen: the table is "linear /dev/pmem0 1", the file system inside it is sound. Mounted with
#   dax=never the file begins with its own first sector. Mounted with dax=always, which the kernel
#   accepts without a message, it begins with the sector that lies before it on the device, and its
#   own first sector comes second. With the table at sector 8, both are the same.
# Expected: the kernel refuses DAX where the device does not begin at a page.
# Consequence: /proc/mounts proves that DAX is on, and the data are wrong all the same. What looks
#   like corruption by the file system comes from the device table.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

release=7.2.13+deb14-cloud-amd64
command -v qemu-system-x86_64 >/dev/null || skip 'this needs qemu-system-x86_64'
unpack sid sid "linux-binary-$release=7.2.13-1" "linux-modules-$release=7.2.13-1" \
	busybox-static dmsetup e2fsprogs cpio xz-utils
export MKE2FS_CONFIG=$PWD/sid/etc/mke2fs.conf
qemu-system-x86_64 --version | sed -n 1p

# The guest: busybox, dmsetup with its libraries, and the modules in the order of their needs.
mkdir -p guest/{bin,dev,proc,sys,mnt,modules,lib,lib64}
cp sid/usr/bin/busybox sid/usr/sbin/dmsetup guest/bin/
cp -L sid/usr/lib64/ld-linux-x86-64.so.2 guest/lib64/
cp -L sid/usr/lib/x86_64-linux-gnu/lib{devmapper.so.1.02.1,c.so.6,selinux.so.1,udev.so.1,m.so.6,pcre2-8.so.0} guest/lib/
number=0
for module in nvdimm/{libnvdimm,nd_virtio,nd_btt,nd_pmem,virtio_pmem} md/dm-mod; do
	number=$((number + 1))
	run sid xz -dc "sid/usr/lib/modules/$release/kernel/drivers/$module.ko.xz" >"guest/modules/$number.ko"
done
cat >guest/init <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for module in /modules/*; do insmod "$module"; done
export LD_LIBRARY_PATH=/lib

# The file system begins at sector 1 of pmem0, and again at sector 8 of pmem1.
for device in "pmem0 1" "pmem1 8"; do
	echo "0 65536 linear /dev/$device" | dmsetup create test --noudevsync
	dmsetup mknodes
	for dax in never always; do
		mount -t ext4 -o "ro,dax=$dax" /dev/mapper/test /mnt
		grep -q "dax=$dax" /proc/mounts && echo "result $device $dax $(md5sum </mnt/file | cut -c 1-32)" \
			"sector 1 holds number $(dd if=/mnt/file bs=512 skip=1 count=1 2>/dev/null)"
		umount /mnt
	done
	dmsetup remove --noudevsync test
done
dmesg | grep -i 'dax' | sed 's/^/message /'
poweroff -f
INIT
chmod +x guest/init
(cd guest && find . | run ../sid cpio -o -H newc 2>/dev/null) | gzip -1 >initrd

# The file has the number of each of its sectors, so that every one differs.
mkdir tree
awk 'BEGIN { for (i = 0; i < 2048; i++) printf "%-511d\n", i }' >tree/file
run sid mke2fs -q -t ext4 -b 4096 -d tree image 32M
truncate -s 128M pmem0 pmem1
dd if=image of=pmem0 bs=512 seek=1 conv=notrunc status=none
dd if=image of=pmem1 bs=512 seek=8 conv=notrunc status=none

timeout 300 qemu-system-x86_64 -M q35 -cpu max -m 512M,slots=2,maxmem=2G -nodefaults -no-reboot \
	-display none -serial stdio -kernel "sid/usr/lib/modules/$release/vmlinuz" -initrd initrd \
	-append 'console=ttyS0 quiet panic=-1 no_timer_check' \
	-object memory-backend-file,id=m0,share=on,mem-path=pmem0,size=128M -device virtio-pmem-pci,memdev=m0 \
	-object memory-backend-file,id=m1,share=on,mem-path=pmem1,size=128M -device virtio-pmem-pci,memdev=m1 \
	</dev/null >console.log 2>&1 || skip 'the guest did not finish within five minutes'
tr -d '\r' <console.log | tr -s ' ' >guest.log
show guest.log '^(result|message)'

# content DEVICE DAX: the MD5 sum of the file as the guest read it.
content() { awk -v key="result $1 $2" 'index($0, key) == 1 { print $5 }' guest.log; }
file=$(md5sum <tree/file | cut -c 1-32)
expect 'at sector 8, without DAX: the content of the file' [ "$(content 'pmem1 8' never)" = "$file" ]
expect 'at sector 8, with DAX: the content of the file' [ "$(content 'pmem1 8' always)" = "$file" ]
expect 'at sector 1, without DAX: the content of the file' [ "$(content 'pmem0 1' never)" = "$file" ]
expect 'at sector 1, DAX is accepted' [ -n "$(content 'pmem0 1' always)" ]
expect 'at sector 1, with DAX: other content' [ "$(content 'pmem0 1' always)" != "$file" ]
expect 'at sector 1, with DAX: everything is 512 bytes further on' \
	grep -q '^result pmem0 1 always .* holds number 0' guest.log
