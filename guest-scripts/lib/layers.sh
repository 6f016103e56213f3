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
		if [[ ${daxrepro_stack-} == stripe ]]; then
			partition "$device" 2 || return
			beside[index]=${REPLY% *} device=${REPLY#* }
		elif [[ ${daxrepro_partition-} ]]; then
			partition "$device" 1 || return
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

# partition DEVICE COUNT: sets REPLY to its partitions, the last one first.
partition() {
	local node=${1##*/} said part found=()
	said=$(perl "$DAXREPRO/lib/partition.pl" "$1" $HUGE "$2" 2>&1) || {
		DEVICE_PROBLEM="$1 cannot be partitioned: $said"
		return 1
	}
	for part in /sys/class/block/"$node"/"$node"*; do
		[[ -b /dev/${part##*/} ]] && found=("/dev/${part##*/}" "${found[@]}")
	done
	REPLY=${found[*]}
	[[ ${#found[@]} -eq $2 ]] && return
	DEVICE_PROBLEM="the kernel finds ${#found[@]} partitions on $1, not $2; it needs CONFIG_EFI_PARTITION"
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
	# On two partitions: 7.2 loses writes with a flush where all stripes are on one block device
	# (drivers/md/dm.c sends them to stripe_map, which maps no bio with REQ_PREFLUSH).
	stripe) table="0 $((2 * (sectors / STRIPE * STRIPE))) striped 2 $STRIPE $1 0 $2 0" ;;
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
