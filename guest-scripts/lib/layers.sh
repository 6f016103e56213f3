# What --partition and --stack put between the devices and the file systems: a partition table on each
# device, and device mapper above its partition or itself. It is made before the checkpoint, so that
# clones have it. TEST_DEV and SCRATCH_DEV name the topmost device from then on.
#
# daxrepro_partition and daxrepro_stack come from the kernel's command line.
# shellcheck disable=SC2154 # lib/devices.sh too

# Sectors: what a huge page maps, so that partitions and segments do not prevent them.
HUGE=4096
# Sectors: LVM's usual stripe.
STRIPE=128

# add_layers: changes TEST_DEV and SCRATCH_DEV. Stacks that need a second device find it at the end of
# ADDITIONAL: TEST_DEV's, then SCRATCH_DEV's.
add_layers() {
	local device index=0 beside=('' '') under=("$TEST_DEV" "$SCRATCH_DEV")
	case ${daxrepro_stack-} in
	log-writes | snapshot | writecache)
		beside=("/dev/${ADDITIONAL[-2]}" "/dev/${ADDITIONAL[-1]}")
		ADDITIONAL=("${ADDITIONAL[@]:0:${#ADDITIONAL[@]}-2}")
		;;
	esac
	for device in "${under[@]}"; do
		if [[ ${daxrepro_partition-} ]]; then
			partition "$device" || return
			device=$REPLY
		fi
		if [[ ${daxrepro_stack-} ]]; then
			stack_on "$device" "${beside[index]}" $index || return
			device=$REPLY
		fi
		under[index++]=$device
	done
	TEST_DEV=${under[0]} SCRATCH_DEV=${under[1]}
}

# partition DEVICE: sets REPLY to its only partition.
partition() {
	local node=${1##*/} said part
	said=$(perl "$DAXREPRO/lib/partition.pl" "$1" $HUGE 2>&1) || {
		DEVICE_PROBLEM="$1 cannot be partitioned: $said"
		return 1
	}
	for part in /sys/class/block/"$node"/"$node"*; do
		REPLY=/dev/${part##*/}
		[[ -b $REPLY ]] && return
	done
	DEVICE_PROBLEM="the kernel finds no partition on $1; it needs CONFIG_EFI_PARTITION"
	return 1
}

# stack_on DEVICE BESIDE NUMBER: sets REPLY to the device of device mapper above it. Its name is the
# kernel's: messages and /sys name it dm-0, too.
stack_on() {
	local table sectors half name=dm-$3 said
	modprobe -q -a dm_mod "dm_${daxrepro_stack//-/_}" 2>/dev/null
	type -P dmsetup >/dev/null || {
		DEVICE_PROBLEM="--stack needs the program dmsetup, which the guest does not have"
		return 1
	}
	sectors=$(blockdev --getsz "$1")
	half=$((sectors / 2 / HUGE * HUGE))
	case $daxrepro_stack in
	# The halves in reverse order: a lost offset shows.
	linear) table="0 $((sectors - half)) linear $1 $half
$((sectors - half)) $half linear $1 0" ;;
	stripe) table="0 $((2 * half)) striped 2 $STRIPE $1 0 $1 $half" ;;
	log-writes) table="0 $sectors log-writes $1 $2" ;;
	# Up for a minute, down for none.
	flakey) table="0 $sectors flakey $1 0 60 0" ;;
	# Milliseconds.
	delay) table="0 $sectors delay $1 0 1" ;;
	snapshot) table="0 $sectors snapshot $1 $2 N 8" ;;
	writecache) table="0 $sectors writecache s $1 $2 4096 0" ;;
	esac
	said=$(dmsetup create "$name" <<<"$table" 2>&1) || {
		DEVICE_PROBLEM="there is no $daxrepro_stack on $1: ${said//$'\n'/ }; the kernel needs device mapper with this target"
		return 1
	}
	REPLY=/dev/mapper/$name
	is_mapped "$REPLY" && return
	DEVICE_PROBLEM="$REPLY is not the kernel's $name"
	return 1
}

# is_mapped DEVICE: whether the kernel's device of this name is one of device mapper.
is_mapped() {
	[[ -b $1 && -d /sys/block/${1##*/}/dm ]]
}
