// An if condition is negated.
@mutation@
expression E;
position p;
statement S1, S2;
@@
  if (
- E@p
+ !(E)
  ) S1 else S2
