// An inode, a buffer or a page is changed but not marked dirty.
@mutation@
identifier mark =~ "dirty|^xfs_trans_log_|^xfs_buf_delwri_queue|^ext4_journal_get_write_access$";
expression list arguments;
expression result;
position p;
@@
(
- mark@p(arguments);
+ ;
|
- result = mark@p(arguments);
+ result = 0;
)
