# fsck(8), e2fsck(8) and xfs_repair(8) for guest-scripts/xfstests, depending on the name by which it is
# called. It keeps the output if `check` itself runs the program: `check` repairs a damaged TEST_DEV at
# once, and keeps no log of a clean check. Runs by a test are part of the test and are not kept.

. /daxrepro/lib/xfstests-watch.sh
. /daxrepro/lib/check-log.sh
program=${0##*/}
real=$(real_program "$program")
phase
[[ $REPLY == test ]] && exec "$real" "$@"

started_by=$REPLY
device=${*: -1}
for number in {001..999}; do
	log=/run/unit/checked/check-$number-${device##*/}
	[[ -e $log ]] || break
done
"$real" "$@" >"$log" 2>&1
status=$?
cat "$log"
read_only=false
[[ " $* " == *\ -n* ]] && read_only=true
event check "phase=$started_by" "program=$program" "device=$device" "status:=$status" \
	"readOnly:=$read_only" "file=${log##*/}"
# Before the repair that follows. If a device is damaged several times, the first time tells most.
if [[ $read_only == true && ! -e /run/unit/evidence-${device##*/} ]] && ! is_clean_check "$status" "$log"; then
	: >"/run/unit/evidence-${device##*/}"
	reach_reporter
	ask evidence "${log##*/}" "$device" "$log" "$FSTYP" "$(</run/unit/image-bytes)"
fi
exit $status
