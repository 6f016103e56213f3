# fsck(8), e2fsck(8) and xfs_repair(8) for guest-scripts/xfstests, by the name it is called by. What
# check itself runs is kept: it repairs TEST_DEV at once after it found it damaged, and keeps no log of
# a clean check. What a test runs is the test's own business.

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
# Before the repair that follows; of a device that is damaged again later the first time tells most.
if [[ $read_only == true && ! -e /run/unit/evidence-${device##*/} ]] && ! is_clean_check "$status" "$log"; then
	: >"/run/unit/evidence-${device##*/}"
	reach_reporter
	ask evidence "${log##*/}" "$device" "$log" "$FSTYP" "$(</run/unit/image-bytes)"
fi
exit $status
