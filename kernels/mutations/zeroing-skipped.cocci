// Memory or blocks are not zeroed.
@mutation@
identifier zero =~ "zero|^clear_(page|user_page|highpage|nlink|inode)$";
expression list arguments;
expression memory, size, result;
position p;
@@
(
- memset@p(memory, 0, size);
+ ;
|
- zero@p(arguments);
+ ;
|
- result = zero@p(arguments);
+ result = 0;
)
