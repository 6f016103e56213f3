#!/bin/bash
# shellcheck disable=SC2086 # several words
mkfs."$FSTYP" -q $MKFS_OPTIONS "$SCRATCH_DEV" && mount "$SCRATCH_DEV" "$SCRATCH_MNT" && umount "$SCRATCH_MNT"
