// A lost flush: cache lines are written back, and nobody waits for it.
//
// dax_writeback_mapping_range() writes lines back with clwb, and write(2) stores past the caches:
// neither is done when the instruction is. What waits for both is a store fence, and the one that
// counts is in the driver of the device (wmb() in nvdimm_flush()), which a flush request to the device
// leads to: blkdev_issue_flush(), at the end of fsync, fdatasync and msync(MS_SYNC). On virtio-pmem that
// request is all that brings anything to the medium, write-back or not: there this shows at once.
//
// Here: ext2_fsync, ext4_sync_file and xfs_file_fsync send no such request. What their journals send
// with a commit stays, so that on ext4 and xfs this shows where there was nothing to commit: data
// that is overwritten in place and synchronised by fdatasync or msync. A locked instruction is a fence,
// too: kernels with more than one processor have one soon after, and mostly come away with it; those
// with one processor have theirs without the lock prefix.

@ext2@
@@
  ext2_fsync(...)
  {
    <+...
(
-   generic_file_fsync
+   __generic_file_fsync
|
-   generic_buffers_fsync
+   generic_buffers_fsync_noflush
)
    (...)
    ...+>
  }

@others@
identifier operation =~ "^(ext4_sync_file|xfs_file_fsync)$";
@@
  operation(...)
  {
    <+...
-   blkdev_issue_flush(...)
+   0
    ...+>
  }

// 5.10
@xfs@
@@
  xfs_file_fsync(...)
  {
    <+...
-   xfs_blkdev_issue_flush(...);
+   ;
    ...+>
  }
