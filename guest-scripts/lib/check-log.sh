# What e2fsck -n and xfs_repair -n print of a sound file system, so that evidence is gathered of every
# other one. Their exit codes do not tell: both exit with 0 after some kinds of damage.
#
# The host parses the log and decides the verdict. A line too few in this list costs a little time; a
# line too many leaves a finding without its evidence.

# Lines of e2fsck, fsck and xfs_repair, as an extended regular expression without its anchors.
CLEAN_LINE='e2fsck [0-9][0-9.]* \(.*\)'
CLEAN_LINE+='|fsck from util-linux .*'
CLEAN_LINE+='|Pass [1-5]: Checking [a-z, ]+'
CLEAN_LINE+='|Inode [0-9]+ extent tree \(at level [0-9]+\) could be (shorter|narrower)\.  Optimize\? no'
CLEAN_LINE+='|.*: [0-9]+/[0-9]+ files \([0-9.]+% non-contiguous\), [0-9]+/[0-9]+ blocks'
CLEAN_LINE+='|Phase [1-7] - [a-z].*'
CLEAN_LINE+='|        - [a-z].*'
CLEAN_LINE+='|No modify flag set, skipping .*'
CLEAN_LINE+='|Note - quota info will be regenerated on next quota mount\.'

# is_clean_check STATUS LOG: whether the check exited with 0 and printed such lines alone.
is_clean_check() {
	local line
	[[ $1 -eq 0 ]] || return
	while IFS= read -r line || [[ $line ]]; do
		[[ -z $line || $line =~ ^($CLEAN_LINE)$ ]] || return
	done <"$2"
}
