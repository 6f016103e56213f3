#!/usr/bin/env bash
# spatch leaves out a function that uses scoped_guard, says nothing, and exits 0.
#
# Version: coccinelle 1.3.0.deb-1+b7 (Debian sid).
# Seen: a semantic patch that renames a call changes it in a plain function and in one with
#   guard(mutex)(&lock), but not in one with `scoped_guard(mutex, &lock) { ... }`. The exit status is
#   0 and no message names that function. Only `spatch --parse-c` lists its lines, as "bad:".
# Expected: a message, or an exit status, for code that could not be parsed.
# Consequence: "the semantic patch applied" does not mean that it applied everywhere. A tree-wide
#   change, or a bug planted on purpose, misses the functions written in the newer style.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

unpack sid sid coccinelle=1.3.0.deb-1+b7
export COCCINELLE_HOME=$PWD/sid/usr/lib/coccinelle
run sid spatch --version | sed -n 1p

cat >rename.cocci <<'COCCI'
@@
expression e;
@@
- old_call(e)
+ new_call(e)
COCCI
cat >code.c <<'C'
int plain(int a)
{
	return old_call(a);
}

int guarded(int a)
{
	guard(mutex)(&lock);
	return old_call(a);
}

int scoped(int a)
{
	scoped_guard(mutex, &lock) {
		return old_call(a);
	}
	return 0;
}
C

status=$(status_of spatch.log run sid spatch --sp-file rename.cocci --in-place code.c)
grep -n '_call' code.c | sed 's/^/    /'
expect 'spatch exits 0' [ "$status" -eq 0 ]
expect 'it changes two of the three calls' [ "$(grep -c new_call code.c)" -eq 2 ]
expect 'it leaves the call below scoped_guard' grep -q 'return old_call' code.c
expect 'its output reports no problem' lacks spatch.log 'error|warn|bad|parse|skip'

status=$(status_of parse.log run sid spatch --parse-c code.c)
show parse.log 'bad:.*scoped|NB total'
expect 'spatch --parse-c lists the function as bad' grep -q 'bad: int scoped' parse.log
