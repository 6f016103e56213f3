#!/bin/bash
# shellcheck disable=SC2086 # several words
set -e
mkfs."$FSTYP" -q $MKFS_OPTIONS "$SCRATCH_DEV"
mount $MOUNT_OPTIONS "$SCRATCH_DEV" "$SCRATCH_MNT"
echo x >"$SCRATCH_MNT/x"
[[ $(<"$WITH_DIR/data") == brought ]]
! touch "$WITH_DIR/new" 2>/dev/null
