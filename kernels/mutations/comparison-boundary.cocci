// A comparison includes its boundary where it excluded it, or the reverse.
@mutation disable gtr_lss, gtr_lss_eq@
expression A, B;
position p;
@@
(
- A <@p B
+ A <= B
|
- A <=@p B
+ A < B
|
- A >@p B
+ A >= B
|
- A >=@p B
+ A > B
)
