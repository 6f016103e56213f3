# The two devices under test, for each kind of persistent memory that the machine can have. TEST_DEV
# is the one at the lower address. DEVICE_PROBLEM says what is wrong with the devices.
#
# daxrepro_pmem and daxrepro_devices come from the kernel's command line.
# shellcheck disable=SC2154

TEST_DEV='' SCRATCH_DEV='' DEVICE_PROBLEM=''

load_drivers() {
	local drivers=(virtio_pci virtio_console)
	case $daxrepro_pmem in
	memmap) drivers+=(nd_e820 nd_pmem) ;;
	nvdimm) drivers+=(nfit nd_pmem) ;;
	virtio-pmem) drivers+=(virtio_pmem nd_pmem) ;;
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
	local tries names prefix=pmem
	[[ $daxrepro_pmem == none ]] && prefix=vd
	[[ $daxrepro_pmem == nvdimm ]] && make_fsdax_namespaces
	for tries in {1..50}; do
		names=(/sys/block/"$prefix"*)
		names=("${names[@]##*/}")
		[[ ${names[0]} != "$prefix*" && ${#names[@]} -ge 2 ]] && break
		sleep 0.1
	done
	[[ $daxrepro_devices == plugged ]] && number_by_address
	if [[ ${#names[@]} -ne 2 ]]; then
		DEVICE_PROBLEM="expected two $prefix devices for $daxrepro_pmem, found: ${names[*]}"
		return
	fi
	TEST_DEV=/dev/${names[0]}
	SCRATCH_DEV=/dev/${names[1]}
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
	[[ ${#names[@]} -eq 2 && $((addresses[pmem0])) -gt $((addresses[pmem1])) ]] || return
	for name in pmem0 pmem1; do echo "${parents[$name]}" >$driver/unbind; done
	for name in pmem1 pmem0; do echo "${parents[$name]}" >$driver/bind; done
	names=(pmem0 pmem1)
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
		[[ -e /sys/bus/nd/devices/region1 ]] && break
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

# Brings up the loopback interface, the only network of the guest: some tests talk to themselves over
# 127.0.0.1. ioctl(2): SIOCSIFFLAGS with IFF_UP and IFF_RUNNING.
bring_up_loopback() {
	perl -e '
		socket(my $socket, 2, 2, 0) or exit;
		my $up = pack("a16 s x22", "lo", 0x41);
		ioctl($socket, 0x8914, $up)'
}
