# How the guest talks to the host: two virtio-serial ports, separate from the console.
#
# daxrepro.channel    guest to host: one JSON object per line, "event" first. The event "file" is
#                     followed by the bytes of the file, as many as its "size" says.
#                     host to guest: the unit, as lines of `KEY value`, ended by `END`. If it names
#                     MODULE_BYTES, that many bytes of the file-system module follow. If it names
#                     CONTENTS, the initial contents of each of these devices follow (lib/contents.pl).
# daxrepro.heartbeat  guest to host: one dot per second while user space runs.
#
# A port can be opened only once. A child that should not hold it closes it (see `without_channel`).
# Descriptors 6 and 7 lead to the reporter.

CHANNEL=8
HEARTBEAT=9
declare -A UNIT=()

# Prints the device of the port with this name. The guest has no udev, which would link it by name.
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
	# The port appears a little later than its driver, because the host has to announce it.
	for tries in {1..50}; do
		channel=$(port_device daxrepro.channel) &&
			heartbeat=$(port_device daxrepro.heartbeat) && break
		sleep 0.1
	done
	[[ $channel && $heartbeat ]] || return 1
	eval "exec $CHANNEL<>'$channel' $HEARTBEAT>'$heartbeat'"
}

# Sends one dot per second without starting a process: the read waits for input that never comes.
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

# The reporter (lib/reporter.pl) is a process that inspects the guest and reports to the host; `ask`
# sends it questions. It starts once, because starting perl takes 0.1 s under emulation. A restart makes
# new pipes: processes that were killed a moment ago may still hold the old ones open, and a question
# written there would be lost silently.
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

# process_birth PID: sets REPLY to the start time of the process; empty if it does not exist or is a
# zombie. The process id and the start time together identify a process uniquely.
process_birth() {
	local status
	REPLY=''
	{ IFS= read -r status <"/proc/$1/stat"; } 2>/dev/null || return
	# After the name, which may contain anything: the state, and 19 fields later the start time (proc(5)).
	# shellcheck disable=SC2206 # one word for each
	status=(${status##*) })
	[[ ${status[0]} == [RSD] ]] && REPLY=${status[19]}
}

# Whether the reporter is still the process that was started: a test may have killed or stopped it.
reporter_lives() {
	process_birth "$REPORTER"
	[[ $REPLY && $REPLY == "$REPORTER_BIRTH" ]]
}

# For a process that did not inherit the descriptors. Only one at a time: all would read the same answers.
reach_reporter() {
	# Opened for reading and writing, so that neither end waits for the other to open or finds it closed.
	exec 6<>/run/questions 7<>/run/answers
}

# ask QUESTION [WORD]...: waits until the reporter has told the host. It has no timeout: bash measures
# timeouts by the wall clock, which jumps when a clone gets its own time. Questions and answers are
# numbered, because an earlier asker may have been killed before its answer came.
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

# send_file NAME PATH: sends the first 4 MiB of the file.
send_file() {
	ask file "$1" "$2"
}

# Reads UNIT from the host. The reporter reads the bytes of a module, if there is one.
wait_for_unit() {
	local key value
	while IFS=' ' read -r -u $CHANNEL key value; do
		[[ $key == END ]] && break
		UNIT[$key]=$value
	done
	[[ $key == END ]] || sleep infinity # the host is gone
}
