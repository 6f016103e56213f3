// The trial fix of February 2016 in ext2.
//
// In the thread of "DAX bdev fixes - move flushing calls to FS", v2 (linux-fsdevel), the tests passed
// again when ext2_writepages did the page write-back after the DAX part instead of returning: S_DAX
// was set on directories as well, whose blocks are in the page cache.
//
// Here: S_DAX on every inode of a file system mounted with -o dax, and no early return.
// Since 4.18 regular files have their own operations, which do the DAX part. For a directory with S_DAX
// only the page write-back remains to be done, and these kernels do it. (The DAX part would warn about a
// directory, because it does not accept pages.)
// In 4.5 this removes the early return.
//
// Both places must exist, or nothing is changed.

@writeback@
identifier mapping;
@@
  ext2_writepages(struct address_space *mapping, ...)
  {
    <+... mpage_writepages(mapping, ...) ...+>
  }

@flags depends on writeback@
expression inode;
@@
  ext2_set_inode_flags(...)
  {
    ...
-   if (test_opt(inode->i_sb, DAX) && S_ISREG(inode->i_mode))
+   if (test_opt(inode->i_sb, DAX))
      inode->i_flags |= S_DAX;
    ...
  }

@depends on flags@
identifier mapping;
expression flush;
@@
  ext2_writepages(struct address_space *mapping, ...)
  {
    <...
(
    if (dax_mapping(mapping)) {
-     return flush;
+     int flushed = flush;
+
+     if (flushed)
+       return flushed;
    }
|
-   if (dax_mapping(mapping))
-     return flush;
+   if (dax_mapping(mapping)) {
+     int flushed = flush;
+
+     if (flushed)
+       return flushed;
+   }
)
    ...>
  }
