// A flag is not set, or not passed.
@mutation@
identifier set =~ "^(__)?set_bit$|_set_.*(flag|feature|state)|^ext4_set_inode_|^set_(buffer|page)_";
constant FLAG;
identifier NAME =~ "^_*[A-Z][A-Z0-9_]+$";
expression list arguments;
expression flags;
position p;
@@
(
- flags |=@p FLAG;
+ ;
|
- flags |=@p NAME;
+ ;
|
- flags |@p FLAG
+ flags
|
- flags |@p NAME
+ flags
|
- set@p(arguments);
+ ;
)
