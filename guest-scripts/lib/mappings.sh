# For tests that map files from perl: lib/mappings.pl has the functions.

# in_perl PROGRAM [ARGUMENT...]: whatever the program prints is a failure, and so is its end by `die`.
in_perl() {
	local said line status
	said=$(perl -I"$DAXREPRO/lib" -e 'use strict; use warnings; BEGIN { require "mappings.pl" }'"$1" \
		-- "${@:2}" 2>&1)
	status=$?
	[[ $said != *" at -e line "* ]] || broken "$said"
	[[ $status -eq 0 && ! $said ]] && return
	while IFS= read -r line; do
		short "$line"
		fail "$REPLY"
	done <<<"${said:-perl ended with exit code $status}"
}
