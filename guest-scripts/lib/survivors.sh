# Examines images that survived a power cut, as the host names them (programs/survivor).

run_survivors() {
	local said
	# Drops what was read of the device before it had its contents.
	blockdev --flushbufs "$TEST_DEV"
	mkdir -p /mnt/survivor
	said=$("$DAXREPRO/programs/survivor" "$TEST_DEV" "${UNIT[IMAGE_SIZE]}" "$FSTYP" "${UNIT[RECOVERY]}" \
		/mnt/survivor 2>&1 >&"$CHANNEL" <&"$CHANNEL") || give_up survivors "$said"
}

# Addresses of the kernel's own functions, without those of modules: `ADDRESS NAME`. The first eight
# digits of each address, which are all f, are left out.
send_symbols() {
	awk '$2 ~ /[tT]/ && NF == 3 && /^ffffffff/ { print substr($1, 9), $3 }' /proc/kallsyms >/run/unit/symbols
	send_file symbols /run/unit/symbols
}
