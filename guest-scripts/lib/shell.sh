# `daxrepro shell`: a shell or a command of the user's in place of a test. The user may change the guest
# in any way. The proof and the check that follow are the same as after a test.
#
# SESSION in cli/guest/protocol.ts documents the fields of the request.

# prepare_shell: what a shell gets in addition to the environment of a test. SCRATCH_DEV is left to
# xfstests if the guest has its tree.
prepare_shell() {
	if [[ -f $DAXREPRO_TREE/check ]]; then
		. "$DAXREPRO/lib/xfstests.sh"
		prepare_xfstests
		return
	fi
	: >/run/unit/scratch-used
	make_filesystem "$SCRATCH_DEV" || {
		give_up mkfs "SCRATCH_DEV: $REPLY"
		return 1
	}
	mount_filesystem "$SCRATCH_DEV" "$SCRATCH_MNT" || {
		event mount-failed "message=SCRATCH_DEV: $REPLY" "kernelLog=$(kernel_log)"
		return 1
	}
	prove scratch "$SCRATCH_DEV" "$SCRATCH_MNT"
}

DAXREPRO_TREE=/var/lib/xfstests

# Runs the session and sets REPLY to its exit code.
run_shell() {
	local started=$EPOCHREALTIME directory=/root status=''
	tell_symbols
	(
		if [[ -f $DAXREPRO_TREE/check && ${UNIT[LOOK]} != yes ]]; then
			xfstests_environment
			directory=$DAXREPRO_TREE
		fi
		shell_environment
		without_channel exec perl "$DAXREPRO/lib/terminal.pl" "$(port_device daxrepro.terminal)" \
			"${UNIT[SESSION]}" "${UNIT[ROWS]:-24}" "${UNIT[COLUMNS]:-80}" "$directory"
	) >/run/unit/output 2>&1 </dev/null
	[[ -s /run/unit/session ]] && read -r status </run/unit/session
	event shell ${status:+"status:=$status"}
	end_leftovers
	[[ -s /run/unit/output ]] && send_file output /run/unit/output
	[[ ${UNIT[COMMAND]} ]] || status=${status:+0}
	tell_shell "$status" $((${EPOCHREALTIME/./} - ${started/./}))
}

# tell_shell STATUS MICROSECONDS: reports the end in the form of a test's end. An interactive shell exits
# with the status of its last command, which means nothing. A missing command is no file-system failure.
tell_shell() {
	case $1 in
	'')
		event test "status:=127" "microseconds:=$2" \
			"reason=the session broke: $(tail -n 1 /run/unit/output)"
		;;
	0) event test "status:=0" "microseconds:=$2" ;;
	126 | 127) event test "status:=127" "microseconds:=$2" \
		"reason=the command could not be run: it ended with exit code $1" ;;
	*)
		SUSPICIOUS=1
		event test "status:=1" "microseconds:=$2" "failures=the command ended with exit code $1"
		;;
	esac
}

shell_environment() {
	export TERM=${UNIT[TERM]:-dumb} HOME=/root SHELL=/bin/bash USER=root LOGNAME=root
	export TEST_DEV TEST_DIR SCRATCH_DEV SCRATCH_MNT FSTYP MKFS_OPTIONS MOUNT_OPTIONS
	export LESS=-R EDITOR=vi PAGER=less
	# Keeps vim from looking for its defaults file, which the guest does not have.
	export VIMINIT='set nocompatible backspace=indent,eol,start ruler'
	[[ -d /usr/lib/locale/C.utf8 ]] && export LC_ALL=C.UTF-8
	export DAXREPRO_COMMAND=${UNIT[COMMAND]} DAXREPRO_TERMINFO=${UNIT[TERMINFO]}
	unset BASH_ENV DAXREPRO_SEED REFERENCES_UNMOUNTED
}

# Where the module and the kernel are in the kernel's memory, for a debugger.
tell_symbols() {
	local section address text='' all=''
	if [[ ! ${UNIT[GDB]} ]]; then
		event symbols "module=$FSTYP" "sections=" "kernelText="
		return
	fi
	for section in /sys/module/"$FSTYP"/sections/.*; do
		[[ -f $section ]] || continue
		read -r address <"$section"
		all+="${section##*/}=$address "
	done
	read -r address _ < <(grep -m 1 ' _text$' /proc/kallsyms) && text=0x$address
	event symbols "module=$FSTYP" "sections=$all" "kernelText=$text"
} 2>/dev/null
