// A lock is not taken, and not released in the same function either.
@mutation@
identifier take =~ "^(down_read|down_write|mutex_lock|spin_lock|read_lock|write_lock|inode_lock|inode_lock_shared|filemap_invalidate_lock|filemap_invalidate_lock_shared|xfs_ilock|bh_lock|lock_buffer|ext4_lock_group)$";
expression lock;
expression list more;
position p;
@@
(
- take@p(lock);
+ ;
|
- take@p(lock, more);
+ ;
)

@script:python place@
p << mutation.p;
f;
@@
coccinelle.f = cocci.make_ident(p[0].current_element)

@@
identifier place.f;
expression mutation.lock;
identifier release =~ "^(up_read|up_write|mutex_unlock|spin_unlock|read_unlock|write_unlock|inode_unlock|inode_unlock_shared|filemap_invalidate_unlock|filemap_invalidate_unlock_shared|xfs_iunlock|unlock_buffer|ext4_unlock_group)$";
expression list more;
@@
  f(...) {
  <...
(
- release(lock);
+ ;
|
- release(lock, more);
+ ;
)
  ...>
  }
