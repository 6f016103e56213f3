// A write-back, a flush, a barrier or a wait for them is left out.
@mutation@
identifier flush =~ "sync|writeback|write_and_wait|fdatawrite|fdatawait|flush|_force|^wait_on_buffer|^submit_bh|^smp_|^write_dirty_buffer";
expression list arguments;
expression result;
position p;
@@
(
- flush@p(arguments);
+ ;
|
- result = flush@p(arguments);
+ result = 0;
|
- return flush@p(arguments);
+ return 0;
)
