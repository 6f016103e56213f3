# For tests of the file system's promises. Their scripts are in the language of programs/promises. Under
# --power-cut each promise is verified in the surviving images; without it they are ordinary tests.

PROMISES=$DAXREPRO/programs/promises

# perform: runs a script from stdin on TEST_DEV. If a call fails, the test fails.
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
