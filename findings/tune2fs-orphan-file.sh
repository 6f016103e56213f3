#!/usr/bin/env bash
# tune2fs leaves a default ext4 file system damaged when it removes checksums, or the journal.
#
# Version: e2fsprogs 1.47.4-1+b2 (Debian sid), whose mke2fs.conf turns orphan_file on for ext4.
# Seen: `tune2fs -O ^metadata_csum` exits 0, and e2fsck then exits 4: "Orphan file (inode 12)
#   block 0 is not clean" and "Failed to initialize orphan file". `tune2fs -O ^has_journal` exits
#   0, and e2fsck then exits 4: "Superblock has orphan file without journal". Neither run of tune2fs
#   asks for an e2fsck. Without orphan_file, both conversions leave a clean file system.
# Expected: tune2fs writes the orphan file anew, or removes it.
# Consequence: test images made by mke2fs and adapted by tune2fs fail their first check with the
#   newer e2fsprogs only, which looks like a regression of the kernel under test.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid e2fsprogs=1.47.4-1+b2
export MKE2FS_CONFIG=$PWD/sid/etc/mke2fs.conf
run sid e2fsck -V 2>&1 | sed -n 1p

run sid mke2fs -q -t ext4 default.image 64M
run sid mke2fs -q -t ext4 -O '^orphan_file' plain.image 64M
expect 'mke2fs makes an orphan file by default' \
	grep -q orphan_file <(run sid dumpe2fs -h default.image 2>/dev/null)

for feature in metadata_csum has_journal; do
	cp default.image image
	expect "e2fsck exits 0 before" run sid e2fsck -fn image
	expect "tune2fs -O ^$feature exits 0" run sid tune2fs -O "^$feature" image
	status=$(status_of check.log run sid e2fsck -fn image)
	show check.log '[Oo]rphan file'
	expect "e2fsck exits 4 after tune2fs -O ^$feature" [ "$status" -eq 4 ]

	cp plain.image image
	run sid tune2fs -O "^$feature" image >tune.log 2>&1
	expect "e2fsck exits 0 after the same without orphan_file" run sid e2fsck -fn image
done
