# The devices under test, for each kind of persistent memory that the machine can have. TEST_DEV is the
# one at the lowest address, then come SCRATCH_DEV and, if the unit needs them, further ones.
# DEVICE_PROBLEM says what is wrong with the devices.
#
# daxrepro_pmem, daxrepro_devices and daxrepro_additional come from the kernel's command line.
# shellcheck disable=SC2154

TEST_DEV='' SCRATCH_DEV='' ADDITIONAL=() DEVICE_PROBLEM=''
# Set by name_additional. TEST_LOGDEV and so on are as in xfstests.
export TEST_LOGDEV SCRATCH_LOGDEV TEST_RTDEV SCRATCH_RTDEV LOGWRITES_DEV

load_drivers() {
	local drivers=(virtio_pci virtio_console)
	case $daxrepro_pmem in
	memmap) drivers+=(nd_e820 nd_pmem) ;;
	nvdimm) drivers+=(nfit nd_pmem) ;;
	virtio-pmem) drivers+=(virtio_pmem nd_pmem) ;;
	cxl) drivers+=(cxl_acpi cxl_pci cxl_port cxl_mem cxl_pmem nd_pmem) ;;
	none) drivers+=(virtio_blk) ;;
	esac
	# File-system modules need these. They are loaded before the checkpoint, so that clones have them.
	drivers+=(mbcache jbd2 libcrc32c)
	# Our own module (kernels/witness), if it could be built for this kernel.
	drivers+=(daxrepro_witness)
	# For the reporter.
	drivers+=(algif_hash)
	# A module may be built in or missing: the devices that appear show whether that matters.
	modprobe -q -a "${drivers[@]}" 2>/dev/null
}

find_devices() {
	local tries names prefix=pmem count=$((2 + ${daxrepro_additional:-0}))
	[[ $daxrepro_pmem == none ]] && prefix=vd
	[[ $daxrepro_pmem == nvdimm ]] && make_fsdax_namespaces
	if [[ $daxrepro_pmem == cxl ]]; then make_cxl_namespaces || return; fi
	for tries in {1..50}; do
		names=(/sys/block/"$prefix"*)
		names=("${names[@]##*/}")
		[[ ${names[0]} != "$prefix*" && ${#names[@]} -ge $count ]] && break
		sleep 0.1
	done
	[[ $daxrepro_devices == plugged ]] && number_by_address
	if [[ ${#names[@]} -ne $count ]]; then
		DEVICE_PROBLEM="expected $count $prefix devices for $daxrepro_pmem, found: ${names[*]}"
		return
	fi
	TEST_DEV=/dev/${names[0]}
	SCRATCH_DEV=/dev/${names[1]}
	ADDITIONAL=("${names[@]:2}")
	[[ ${daxrepro_partition-}${daxrepro_stack-} ]] || return
	. "$DAXREPRO/lib/layers.sh"
	add_layers
}

# name_additional VARIABLE...: gives the further devices their names, in their order.
name_additional() {
	local variable index=0
	for variable; do
		if [[ ! ${ADDITIONAL[index]} ]]; then
			DEVICE_PROBLEM="there is no device for $variable"
			return
		fi
		printf -v "$variable" '/dev/%s' "${ADDITIONAL[index++]}"
	done
}

# The kernel may find plugged devices in any order. If the order is wrong, their driver is bound again,
# so that pmem0 is always the first device.
number_by_address() {
	local name parent driver=/sys/bus/virtio/drivers/virtio_pmem
	local -A parents=() addresses=()
	for name in "${names[@]}"; do
		read -r "addresses[$name]" <"/sys/block/$name/device/resource"
		parent=$(cd -P "/sys/block/$name/device" && echo "$PWD")
		[[ $parent =~ /(virtio[0-9]+)/ ]] && parents[$name]=${BASH_REMATCH[1]}
	done 2>/dev/null
	local wanted=()
	mapfile -t wanted < <(for name in "${names[@]}"; do
		printf '%d %s\n' "$((addresses[$name]))" "$name"
	done | sort -n | cut -d' ' -f2)
	[[ ${names[*]} == "${wanted[*]}" ]] && return
	for name in "${names[@]}"; do echo "${parents[$name]}" >$driver/unbind; done
	for name in "${wanted[@]}"; do echo "${parents[$name]}" >$driver/bind; done
	names=(/sys/block/pmem*)
	names=("${names[@]##*/}")
}

# The devices have to be plugged in.
find_slots() {
	local slots=(/sys/bus/pci/slots/*)
	[[ -e ${slots[0]} ]] || DEVICE_PROBLEM="this kernel cannot plug PCI devices (CONFIG_HOTPLUG_PCI_ACPI)"
}

# The raw namespace of an NVDIMM has no page map and so no DAX. Each one gets an fsdax namespace with
# its page map in RAM, as `ndctl create-namespace --mode fsdax --map mem` makes it. Writing to sysfs
# (Documentation/ABI/testing/sysfs-bus-nfit and drivers/nvdimm/pfn_devs.c) takes 0.1 s under emulation;
# ndctl takes five seconds. ndctl remains for what sysfs cannot do.
make_fsdax_namespaces() {
	local region namespace seed tries
	for tries in {1..50}; do
		[[ -e /sys/bus/nd/devices/region$((1 + ${daxrepro_additional:-0})) ]] && break
		sleep 0.1
	done
	for region in /sys/bus/nd/devices/region*; do
		namespace=$(<"$region/namespace_seed") 2>/dev/null
		namespace=namespace${region##*region}.0
		[[ -e /sys/bus/nd/devices/$namespace ]] || continue
		seed=$(<"$region/pfn_seed")
		{
			echo "$namespace" >/sys/bus/nd/drivers/nd_pmem/unbind
			echo ram >"/sys/bus/nd/devices/$seed/mode"
			echo 2097152 >"/sys/bus/nd/devices/$seed/align"
			cat /proc/sys/kernel/random/uuid >"/sys/bus/nd/devices/$seed/uuid"
			echo "$namespace" >"/sys/bus/nd/devices/$seed/namespace"
			echo "$seed" >/sys/bus/nd/drivers/nd_pmem/bind
		} 2>/tmp/fsdax || DEVICE_PROBLEM="no fsdax namespace on $namespace: $(</tmp/fsdax)"
	done
}

# Each CXL device becomes a region of its own, and that a namespace with its page map in RAM. The devices
# are taken in the order of their serial numbers, so that TEST_DEV is at the lowest address.
make_cxl_namespaces() {
	local device serial count tries name root=/sys/bus/cxl/devices
	local -A devices=()
	count=$((2 + ${daxrepro_additional:-0}))
	for tries in {1..100}; do
		for device in "$root"/mem*; do
			# Without a driver it has no endpoint yet.
			[[ -e $device/driver ]] && read -r serial <"$device/serial" && devices[$serial]=${device##*/}
		done 2>/dev/null
		((${#devices[@]} >= count)) && break
		sleep 0.1
	done
	if ((${#devices[@]} < count)); then
		DEVICE_PROBLEM="expected $count CXL devices with drivers, found: ${devices[*]}; the kernel needs CONFIG_CXL_ACPI, CXL_PCI, CXL_PORT, CXL_MEM and CXL_PMEM"
		return 1
	fi
	for serial in $(printf '%s\n' "${!devices[@]}" | sort); do
		cxl create-region -m -t pmem -d decoder0.0 "${devices[$serial]}" >/tmp/region 2>&1 || {
			DEVICE_PROBLEM="no CXL region on ${devices[$serial]}: $(tr '\n' ' ' </tmp/region)"
			return 1
		}
		name=$(sed -n 's/.*"region":"\([^"]*\)".*/\1/p' /tmp/region)
		ndctl create-namespace -f -m fsdax -M mem -r "$name" >/tmp/fsdax 2>&1 || {
			DEVICE_PROBLEM="no fsdax namespace in CXL $name: $(tr '\n' ' ' </tmp/fsdax)"
			return 1
		}
	done
}

# Brings up the loopback interface, the only network of the guest: some tests talk to themselves over
# 127.0.0.1. ioctl(2): SIOCSIFFLAGS with IFF_UP and IFF_RUNNING.
bring_up_loopback() {
	perl -e '
		socket(my $socket, 2, 2, 0) or exit;
		my $up = pack("a16 s x22", "lo", 0x41);
		ioctl($socket, 0x8914, $up)'
}
