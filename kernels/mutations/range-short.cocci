// A range is one unit short: one block, page or byte, as the code counts.
@mutation@
identifier length =~ "^(len|length|count|bytes|size|nr|nr_blocks|blks|num|maxblocks|nrblks|blockcount|count_fsb|end|lend|offset_fsb_end|end_fsb|newlen|blen)$";
identifier function;
position p;
@@
  function(...,
- length@p
+ length - 1
  ,...)
