// A lost flush: cache lines are written back, and nothing waits for the write-back to finish.
//
// dax_writeback_mapping_range() writes lines back with clwb, and write(2) stores past the caches.
// Neither has finished when its instruction has. A store fence waits for both. The fence that counts is
// in the device's driver (wmb() in nvdimm_flush()). A flush request to the device triggers it:
// blkdev_issue_flush(), at the end of fsync, fdatasync and msync(MS_SYNC). On virtio-pmem only that
// request brings anything to the medium, with or without write-back, so the bug shows there at once.
//
// Here: ext2_fsync, ext4_sync_file and xfs_file_fsync send no such request. The requests that journals
// send with a commit remain. So on ext4 and xfs the bug shows only if there is nothing to commit: data
// that is overwritten in place and synchronised by fdatasync or msync. A locked instruction is a fence
// too. Kernels with more than one processor soon execute one, and mostly lose nothing; with one
// processor these instructions have no lock prefix.

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
