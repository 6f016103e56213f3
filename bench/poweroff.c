/*
 * The least that a kernel can be booted for: switches the machine off at once. Without a C library,
 * so that it is one static file wherever there is a compiler.
 */
static long reboot(long command)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(169L), "D"(0xfee1deadL), "S"(672274793L), "d"(command)
			 : "rcx", "r11", "memory");
	return result;
}

void _start(void)
{
	reboot(0x4321fedcL); /* LINUX_REBOOT_CMD_POWER_OFF */
	for (;;)
		;
}
