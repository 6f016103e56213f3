// A lost flush: DAX write-back that leaves out the last cache line of what it writes back.
//
// dax_writeback_mapping_range() takes each dirty entry of a mapping, a page or a huge page, and writes
// back all its lines. It is part of the kernel proper, so a module cannot change it. Here each file
// system's ->writepages for DAX mappings (ext2_dax_writepages, ext4_dax_writepages,
// xfs_dax_writepages; 4.18 and later) calls its own function instead. That function does the same part
// of the work by dax_flush(), but leaves out the last 64 bytes of each entry.
//
// It does more than the kernel's function in two ways: entries stay dirty, and pages stay writable. So
// each further call writes all lines again, except the last. This loses nothing.
//
// An entry is a value whose bits 1 to 3 mean huge page, zero page and empty. The page frame's number
// is above them (fs/dax.c, up to 6.14).

@@
identifier operation =~ "^(ext2|ext4|xfs)_dax_writepages$";
@@
+ static int writeback_all_but_last_line(struct address_space *mapping,
+ 				       struct dax_device *dax_dev,
+ 				       struct writeback_control *wbc)
+ {
+ 	unsigned long last = wbc->range_end >> PAGE_SHIFT;
+ 	unsigned long index = wbc->range_start >> PAGE_SHIFT;
+ 	void *entry;
+
+ 	if (wbc->sync_mode != WB_SYNC_ALL)
+ 		return 0;
+ 	entry = xa_find(&mapping->i_pages, &index, last, PAGECACHE_TAG_DIRTY);
+ 	while (entry) {
+ 		unsigned long value = xa_to_value(entry);
+ 		unsigned long size = value & 2 ? PMD_SIZE : PAGE_SIZE;
+
+ 		if (!(value & 12))
+ 			dax_flush(dax_dev, page_address(pfn_to_page(value >> 4)),
+ 				  size - L1_CACHE_BYTES);
+ 		entry = xa_find_after(&mapping->i_pages, &index, last, PAGECACHE_TAG_DIRTY);
+ 	}
+ 	return 0;
+ }
+
  operation(...)
  {
    <+...
-   dax_writeback_mapping_range
+   writeback_all_but_last_line
    (...)
    ...+>
  }
