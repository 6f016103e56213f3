# How the guest talks with the host: two virtio-serial ports, apart from the console.
#
# daxrepro.channel    guest to host: one JSON object a line, "event" first. After the event "file"
#                     come as many bytes as its "size" says: the file.
#                     host to guest: the unit, lines of `KEY value`, closed by `END`; where it names
#                     MODULE_BYTES, that many bytes follow: the file-system module; where it names
#                     CONTENTS, what each of these devices begins with (lib/contents.pl).
# daxrepro.heartbeat  guest to host: a dot a second, for as long as user space runs.
#
# A port can be opened once; a child that should not hold it closes it (see `without_channel`).
# Descriptors 6 and 7 lead to the reporter.

CHANNEL=8
HEARTBEAT=9
declare -A UNIT=()

# The device of the port with this name; udev, which would make a link of that name, is not here.
port_device() {
	local name
	for port in /sys/class/virtio-ports/*/; do
		read -r name <"$port/name" && [[ $name == "$1" ]] && {
			port=${port%/}
			echo "/dev/${port##*/}"
			return 0
		}
	done 2>/dev/null
	return 1
}

open_channel() {
	local channel heartbeat tries
	# A port appears a little after its driver: the host announces it to the guest.
	for tries in {1..50}; do
		channel=$(port_device daxrepro.channel) &&
			heartbeat=$(port_device daxrepro.heartbeat) && break
		sleep 0.1
	done
	[[ $channel && $heartbeat ]] || return 1
	eval "exec $CHANNEL<>'$channel' $HEARTBEAT>'$heartbeat'"
}

# One dot a second without a new process: a read that nothing ever answers.
start_heartbeat() {
	[[ -p /run/never ]] || mkfifo /run/never
	(
		exec {never}<>/run/never
		while :; do
			printf . >&$HEARTBEAT
			read -r -t 1 -u "$never"
		done
	) </dev/null >/dev/null 2>&1 &
	disown
}

without_channel() {
	"$@" 6<&- 7<&- 8<&- 9<&-
}

# json_string TEXT: sets REPLY to TEXT as a JSON string.
json_string() {
	local text=$1 clean='' char i
	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	text=${text//$'\n'/\\n}
	text=${text//$'\t'/\\t}
	text=${text//$'\r'/\\r}
	if [[ $text == *[$'\x01'-$'\x1f']* ]]; then
		for ((i = 0; i < ${#text}; i++)); do
			char=${text:i:1}
			[[ $char == [$'\x01'-$'\x1f'] ]] && printf -v char '\\u%04x' "'$char"
			clean+=$char
		done
		text=$clean
	fi
	REPLY="\"$text\""
}

# event NAME [KEY=TEXT | KEY:=JSON]...
event() {
	local line field
	json_string "$1"
	line="{\"event\":$REPLY"
	shift
	for field; do
		if [[ ${field%%=*} == *: ]]; then
			line+=",\"${field%%:=*}\":${field#*:=}"
		else
			json_string "${field#*=}"
			line+=",\"${field%%=*}\":$REPLY"
		fi
	done
	printf '%s}\n' "$line" >&$CHANNEL
}

# The reporter (lib/reporter.pl): a process that looks and tells, and is asked by `ask`. It is started
# once: under emulation a perl takes a tenth of a second. Its pipes are new where it has to be started
# again: processes that were killed a moment ago may still have the old ones open, and a question to
# nobody is lost without a word.
start_reporter() {
	exec 6<&- 7<&-
	rm -f /run/questions /run/answers
	mkfifo /run/questions /run/answers
	reach_reporter
	perl "$DAXREPRO/lib/reporter.pl" $CHANNEL </run/questions >/run/answers 6<&- 7<&- 9<&- &
	REPORTER=$!
	disown
	ask nothing
	process_birth $REPORTER
	REPORTER_BIRTH=$REPLY
}

# process_birth PID: when the process was started, in REPLY; empty where there is none that runs, or
# could. With its number it names a process for good.
process_birth() {
	local status
	REPLY=''
	{ IFS= read -r status <"/proc/$1/stat"; } 2>/dev/null || return
	# After the name, which may hold anything: the state, and 19 fields on the start (proc(5)).
	# shellcheck disable=SC2206 # one word for each
	status=(${status##*) })
	[[ ${status[0]} == [RSD] ]] && REPLY=${status[19]}
}

# Whether it still is the one that was started: a test may have killed or stopped it.
reporter_lives() {
	process_birth "$REPORTER"
	[[ $REPLY && $REPLY == "$REPORTER_BIRTH" ]]
}

# For a process that did not inherit the descriptors. One at a time: the answers are for all.
reach_reporter() {
	# For both directions, so that neither end waits for the other to open it, or finds it closed.
	exec 6<>/run/questions 7<>/run/answers
}

# ask QUESTION [WORD]...: waits until the reporter has told the host. Without a limit of time, which
# bash takes by the wall clock, and that jumps when a clone gets its own. A question has a number, and
# so has its answer: whoever asked before may have been killed before it was answered.
ASKED=0
ask() {
	local IFS=$'\t' number=$BASHPID.$((++ASKED)) answer=''
	printf '%s\n' "$number"$'\t'"$*" >&6
	while read -r -u 7 answer; do
		[[ $answer == "$number ok" ]] && return
		[[ $answer == "$number "* ]] && break
	done
	REPLY=${answer#"$number failed: "}
	event log "text=the reporter cannot answer to $1: $REPLY"
	return 1
}

# send_file NAME PATH: the file's first 4 MiB.
send_file() {
	ask file "$1" "$2"
}

# Fills UNIT from the host. A module's bytes, where there are any, are left to the reporter.
wait_for_unit() {
	local key value
	while IFS=' ' read -r -u $CHANNEL key value; do
		[[ $key == END ]] && break
		UNIT[$key]=$value
	done
	[[ $key == END ]] || sleep infinity # the host is gone
}
