#!/bin/bash
# Zeroes the root directory's block behind the file system's back.
block=$(debugfs -R 'blocks <2>' "$TEST_DEV" 2>/dev/null | tr -d ' ')
cd /
umount "$TEST_DIR"
dd if=/dev/zero of="$TEST_DEV" bs=4096 seek="$block" count=1 conv=notrunc,fsync 2>&1
