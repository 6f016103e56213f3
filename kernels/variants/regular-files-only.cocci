// What became the fix of February 2016: "ext2, ext4: only set S_DAX for regular inodes".
//
// In the thread of "DAX bdev fixes - move flushing calls to FS", v2 (linux-fsdevel), S_DAX was
// restricted to regular files, which have no data in the page cache. Then ext2_writepages can return
// after the DAX part.
//
// Here: S_DAX only on regular files, as in every kernel since 4.5, and ext2_writepages does no page
// write-back for a DAX mapping, as in early-return. It warns if a DAX mapping does not belong to a
// regular file: a directory or a symbolic link would lose its pages.
//
// Both places must exist, or nothing is changed.

@flags@
expression inode;
@@
  ext2_set_inode_flags(...)
  {
    ...
    if (test_opt(inode->i_sb, DAX) && S_ISREG(inode->i_mode))
      inode->i_flags |= S_DAX;
    ...
  }

@returns depends on flags@
identifier mapping;
@@
  ext2_writepages(struct address_space *mapping, ...)
  {
    <+...
(
    if (dax_mapping(mapping)) {
+     WARN_ON_ONCE(!S_ISREG(mapping->host->i_mode));
      return ...;
    }
|
-   if (dax_mapping(mapping))
+   if (dax_mapping(mapping)) {
+     WARN_ON_ONCE(!S_ISREG(mapping->host->i_mode));
      return ...;
+   }
)
    ...+>
  }

@depends on flags && !returns@
identifier mapping;
@@
  ext2_writepages(struct address_space *mapping, ...)
  {
    ...
+   if (dax_mapping(mapping)) {
+     WARN_ON_ONCE(!S_ISREG(mapping->host->i_mode));
+     return 0;
+   }
    return mpage_writepages(mapping, ...);
  }
