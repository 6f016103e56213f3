// A lost flush: DAX write-back that does nothing.
//
// What a program stores through a mapping of a DAX file is in the processor's caches until
// dax_writeback_mapping_range() writes the lines back. Each file system calls it in its ->writepages for
// DAX mappings (ext2_dax_writepages, ext4_dax_writepages, xfs_dax_writepages; 4.18 and later), which
// fsync, fdatasync, msync(MS_SYNC) and sync go through.
//
// Here: these return 0 in its place. No line is written back, and the mapping's entries stay dirty.
// What write(2) stores is not concerned: the kernel does that with stores that pass the caches by.
// Emulated persistent memory has no caches, so that nothing shows it without --power-cut.

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
