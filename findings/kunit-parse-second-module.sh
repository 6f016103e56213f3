#!/usr/bin/env bash
# kunit.py parse reads the results of the first KUnit module in a kernel log and ignores all others.
#
# Version: tools/testing/kunit of linux-source-7.2 7.2.13-1 (Debian sid); 6.1, 6.12 and 7.3 do the same.
# Seen: each loaded KUnit module prints a KTAP header of its own (kunit_exec_run_tests in
#   lib/kunit/executor.c, called from the module notifier). Of a log with two modules, the second with
#   a failing test, kunit.py prints the first one's test, "Testing complete. Ran 1 tests: passed: 1", and
#   exits 0. With the modules in the other order it reports the failure, and not the passing test.
# Expected: both modules' tests, and exit status 1. The manual suggests `dmesg | kunit.py parse`.
# Consequence: failures of every KUnit module but the first go unseen. Parse the log of each module
#   alone, or read /sys/kernel/debug/kunit/*/results.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

command -v python3 >/dev/null || skip 'this needs python3'
unpack sid sid linux-source-7.2=7.2.13-1
tar --extract --use-compress-program='xz -T0' --wildcards \
	--file=sid/usr/src/linux-source-7.2.tar.xz 'linux-source-7.2/tools/testing/kunit/*' \
	linux-source-7.2/{COPYING,CREDITS,Kbuild,MAINTAINERS,Makefile,README}
rm -r sid
parser=linux-source-7.2/tools/testing/kunit/kunit.py

# module SECONDS SUITE RESULT: what one KUnit module with one suite of one test logs.
module() {
	sed "s/^/[    $1.000000] /" <<-LOG
		KTAP version 1
		1..1
		    KTAP version 1
		    # Subtest: $2
		    1..1
		    $3 1 ${2}_test
		$3 1 $2
	LOG
}

{
	module 4 first 'ok'
	echo '[    5.000000] EXT4-fs (vda): mounted filesystem'
	module 6 second 'not ok'
} >both.log
{
	module 4 second 'not ok'
	module 6 first 'ok'
} >reversed.log
module 6 second 'not ok' >second.log

status=$(status_of alone.txt python3 $parser parse "$PWD/second.log")
show alone.txt 'second_test|Testing complete'
expect 'the second module alone: exit status 1' [ "$status" -eq 1 ]
expect 'its failure is reported' grep -q 'FAILED.*second_test' alone.txt

status=$(status_of both.txt python3 $parser parse "$PWD/both.log")
show both.txt '_test|Testing complete'
expect 'both modules: exit status 0' [ "$status" -eq 0 ]
expect 'only one test is counted, as passed' grep -q 'Ran 1 tests: passed: 1$' both.txt
expect 'the second module is not mentioned' lacks both.txt 'second|error|warning'

status=$(status_of reversed.txt python3 $parser parse "$PWD/reversed.log")
show reversed.txt '_test|Testing complete'
expect 'the failing module first: exit status 1' [ "$status" -eq 1 ]
expect 'the passing module is not mentioned' lacks reversed.txt 'first'
