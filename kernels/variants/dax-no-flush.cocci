// A lost flush: DAX write-back that does nothing.
//
// What a program stores through a mapping of a DAX file is in the processor's caches until
// dax_writeback_mapping_range() writes the lines back. Each file system calls it in its ->writepages for
// DAX mappings (ext2_dax_writepages, ext4_dax_writepages, xfs_dax_writepages; 4.18 and later), which
// fsync, fdatasync, msync(MS_SYNC) and sync go through.
//
// Here: these functions return 0 instead. No line is written back, and the mapping's entries stay dirty.
// Data from write(2) is not affected: the kernel stores it with instructions that bypass the caches.
// Emulated persistent memory has no caches, so the bug shows only with --power-cut.

@@
identifier operation =~ "^(ext2|ext4|xfs)_dax_writepages$";
@@
  operation(...)
  {
    <+...
-   dax_writeback_mapping_range(...)
+   0
    ...+>
  }
