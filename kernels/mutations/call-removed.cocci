// A call whose result is not used is removed. Other operators remove flushes, dirty marks, zeroing, flags
// and locks. Messages, assertions and the release of memory do not change what a file system does.
@mutation@
identifier function !~ "dirty|^xfs_trans_log_|^xfs_buf_delwri_queue|sync|writeback|write_and_wait|fdatawrite|fdatawait|flush|_force|^wait_on_buffer|^submit_bh|^smp_|zero|^clear_(page|user_page|highpage|nlink|inode)$|^memset$|^(__)?set_bit$|_set_.*(flag|feature|state)|^ext4_set_inode_|^set_(buffer|page)_|lock|^down_|^up_|printk|^pr_|_debug|_warn|_msg|_error|_err$|^err_|_alert|_notice|_info|^trace_|^might_|BUG|WARN|ASSERT|^kfree|^kvfree|^brelse|_put$|^put_|^iput|free|release|^preempt_|prefetch|^cond_resched|lockdep|init_waitqueue";
expression list arguments;
position p;
@@
- function@p(arguments);
+ ;
