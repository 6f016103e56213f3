// An if condition is evaluated, and the branch is always taken.
@mutation@
expression E;
position p;
statement S1, S2;
@@
  if (
- E@p
+ ((E), 1)
  ) S1 else S2
