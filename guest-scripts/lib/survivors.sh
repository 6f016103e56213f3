# Looks at images that survived a power cut, as the host names them (programs/survivor).

run_survivors() {
	local said
	# What was read of it before it had its contents.
	blockdev --flushbufs "$TEST_DEV"
	mkdir -p /mnt/survivor
	said=$("$DAXREPRO/programs/survivor" "$TEST_DEV" "${UNIT[IMAGE_SIZE]}" "$FSTYP" "${UNIT[RECOVERY]}" \
		/mnt/survivor 2>&1 >&"$CHANNEL" <&"$CHANNEL") || give_up survivors "$said"
}

# The kernel's functions by their addresses, without the modules': `ADDRESS NAME`, the address without
# its first eight digits, which are all f.
send_symbols() {
	awk '$2 ~ /[tT]/ && NF == 3 && /^ffffffff/ { print substr($1, 9), $3 }' /proc/kallsyms >/run/unit/symbols
	send_file symbols /run/unit/symbols
}
