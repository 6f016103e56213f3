# For tests of what the file system promises: scripts for programs/promises, which says what they may
# hold. Under --power-cut each promise is verified in what survives; without it they are ordinary tests.

PROMISES=$DAXREPRO/programs/promises

# perform: runs a script, its stdin, on TEST_DEV. A call that fails is the file system's failure.
perform() {
	local said status
	[[ -x $PROMISES ]] || notrun "the guest has no program for it: the host has no compiler that makes static programs"
	said=$(cd "$TEST_DIR" && "$PROMISES" 2>&1)
	status=$?
	case $status in
	0) [[ ! $said ]] || broken "promises: $said" ;;
	1) fail "$said" ;;
	77) notrun "$said" ;;
	*) broken "promises: $said (exit code $status)" ;;
	esac
}
