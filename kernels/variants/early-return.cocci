// The bug of February 2016 in ext2.
//
// "DAX bdev fixes - move flushing calls to FS", v2 (linux-fsdevel), moved the write-back of DAX
// mappings from fsync into each ->writepages, and ext2_writepages returned after it. At the time S_DAX
// was set on every inode of a file system mounted with -o dax. But directories and long symbolic links
// have their blocks in the page cache; these pages were never written, and e2fsck reported
// "Directory inode N, block #0, offset 0: directory corrupted".
//
// Here: S_DAX on every inode, and ext2_writepages does no page write-back for a DAX mapping.
// Since 4.18 DAX files have their own address-space operations, which do the DAX part. So an inode with
// S_DAX that reaches ext2_writepages is a directory or a symbolic link.
// In 4.5 ext2_writepages already returns early.
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

@returns depends on flags@
identifier mapping;
@@
  ext2_writepages(struct address_space *mapping, ...)
  {
    <+...
(
    if (dax_mapping(mapping)) { return ...; }
|
    if (dax_mapping(mapping)) return ...;
)
    ...+>
  }

@depends on flags && !returns@
identifier mapping;
@@
  ext2_writepages(struct address_space *mapping, ...)
  {
    ...
+   if (dax_mapping(mapping))
+     return 0;
    return mpage_writepages(mapping, ...);
  }
