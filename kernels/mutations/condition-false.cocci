// An if condition is evaluated, but the branch is never taken.
@mutation@
expression E;
position p;
statement S1, S2;
@@
  if (
- E@p
+ ((E), 0)
  ) S1 else S2
