# The two devices under test, by the kind of persistent memory that the machine has. TEST_DEV is
# the one at the lower address. What is wrong with them is put in DEVICE_PROBLEM.

TEST_DEV='' SCRATCH_DEV='' DEVICE_PROBLEM=''

load_drivers() {
	local drivers=(virtio_pci virtio_console)
	case $daxrepro_pmem in
	memmap) drivers+=(nd_e820 nd_pmem) ;;
	nvdimm) drivers+=(nfit nd_pmem) ;;
	virtio-pmem) drivers+=(virtio_pmem nd_pmem) ;;
	none) drivers+=(virtio_blk) ;;
	esac
	# What file-system modules need: loaded here, a clone has it at once.
	drivers+=(mbcache jbd2 libcrc32c)
	# Ours (kernels/witness), where it could be built for this kernel.
	drivers+=(daxrepro_witness)
	# A kernel that has them built in, or lacks them, is judged by what then appears.
	modprobe -q -a "${drivers[@]}" 2>/dev/null
}

find_devices() {
	local tries names=() prefix=pmem
	[[ $daxrepro_pmem == none ]] && prefix=vd
	[[ $daxrepro_pmem == nvdimm ]] && make_fsdax_namespaces
	for tries in {1..50}; do
		names=($(cd /sys/block && echo $prefix*))
		[[ ${names[0]} != "$prefix*" && ${#names[@]} -ge 2 ]] && break
		sleep 0.1
	done
	if [[ ${#names[@]} -ne 2 ]]; then
		DEVICE_PROBLEM="expected two $prefix devices for $daxrepro_pmem, found: ${names[*]}"
		return
	fi
	TEST_DEV=/dev/${names[0]}
	SCRATCH_DEV=/dev/${names[1]}
}

# The raw namespace of an NVDIMM has no page map and so no DAX: each one gets an fsdax namespace
# with its page map in RAM, what `ndctl create-namespace --mode fsdax --map mem` does. By sysfs
# (Documentation/ABI/testing/sysfs-bus-nfit and drivers/nvdimm/pfn_devs.c) it takes a tenth of a
# second under emulation where ndctl takes five; ndctl remains for what sysfs does not do.
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
