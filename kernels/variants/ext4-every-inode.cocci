// The part of the bug of February 2016 that ext4 had.
//
// ext4's directories are in the block device's cache, but up to 5.18 a symbolic link that is too long
// for its inode has a block in its own page cache. In 4.5 S_DAX was set on every inode of a file system
// mounted with -o dax; where ext4_writepages returns after the DAX part, these blocks are never
// written.
//
// Here: S_DAX on every inode, and ext4_writepages does no page write-back for a DAX mapping. Regular
// files have operations of their own for DAX, which others must not get: they have no way to make a
// page. From 5.19 on long links are in the block device's cache too, and nothing is lost.
//
// All places have to be there, or nothing is changed.

@writeback@
identifier mapping;
@@
  ext4_writepages(struct address_space *mapping, ...)
  {
    <+... ext4_forced_shutdown(...) ...+>
  }

@choice@
@@
  ext4_set_aops(...)
  {
    <+... IS_DAX(...) ...+>
  }

@flags depends on writeback && choice@
identifier inode;
@@
  ext4_should_enable_dax(struct inode *inode)
  {
    <+...
-   if (!S_ISREG(inode->i_mode))
-     return false;
-   if (ext4_should_journal_data(inode))
+   if (S_ISREG(inode->i_mode) && ext4_should_journal_data(inode))
      return false;
    ...+>
  }

@operations depends on flags@
identifier inode;
@@
  ext4_set_aops(struct inode *inode)
  {
    <+...
-   IS_DAX(inode)
+   (S_ISREG(inode->i_mode) && IS_DAX(inode))
    ...+>
  }

@depends on operations@
identifier mapping;
expression shutdown;
@@
  ext4_writepages(struct address_space *mapping, ...)
  {
    ...
+   if (dax_mapping(mapping))
+     return 0;
    if (unlikely(ext4_forced_shutdown(shutdown)))
      return ...;
    ...
  }
