// The part of the bug of February 2016 that affected ext4.
//
// ext4's directories are in the block device's cache. But up to 5.18 a symbolic link that does not fit
// into its inode has a block in its own page cache. In 4.5 S_DAX was set on every inode of a file system
// mounted with -o dax. If ext4_writepages returns after the DAX part, these blocks are never written.
//
// Here: S_DAX on every inode, and ext4_writepages does no page write-back for a DAX mapping. Regular
// files have their own operations for DAX. Other inodes must not get these, because they cannot create
// pages. From 5.19 on long links are in the block device's cache too, and nothing is lost.
//
// All places must exist, or nothing is changed.

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
