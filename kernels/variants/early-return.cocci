// The bug of February 2016 in ext2.
//
// "DAX bdev fixes - move flushing calls to FS", v2 (linux-fsdevel), moved the write-back of DAX
// mappings from fsync into each ->writepages: ext2_writepages returned after it. At the time S_DAX
// was set on every inode of a file system mounted with -o dax. Directories and long symbolic links
// have their blocks in the page cache nevertheless; these pages were never written, and e2fsck
// found "Directory inode N, block #0, offset 0: directory corrupted".
//
// Here: S_DAX on every inode, and ext2_writepages does no page write-back for a DAX mapping.
// Kernels since 4.18 have address-space operations of their own for DAX files, which do the DAX
// part; what comes to ext2_writepages with S_DAX then is a directory or a symbolic link.
// In 4.5 ext2_writepages returns early as it is.
//
// Both places have to be there, or nothing is changed.

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
