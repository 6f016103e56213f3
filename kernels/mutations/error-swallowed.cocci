// An error is replaced by success: where it is returned, or where it comes from a call.
@mutation@
identifier error =~ "^(err|error|ret|retval|rc)$";
identifier function;
expression list arguments;
position p;
@@
(
- return error@p;
+ return 0;
|
- error@p = function(arguments);
+ (void)function(arguments), error = 0;
)
